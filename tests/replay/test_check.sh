#!/bin/sh
# SPDX-License-Identifier: ISC
# What a user sees who gave a wrong configuration, a broken CSV, or has a damaged store. No root.
set -u

tap82=$(cd "${1:?test_check.sh BUILD}" && pwd)/tap82
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
failures=0

report() {
  if [ "$2" -eq 0 ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: $3"
    failures=$((failures + 1))
  fi
}

# The configuration that all cases begin with; standard input is added to it.
conf() {
  cat > c.ini << INI
[tap82]
state = $tmp/s.db
devices = $tmp/d.csv
listen = $tmp/a.sock
${1:-}
[capture c]
interface = lo
[server north]
address = 127.0.0.1
[group cameras]
subnets = 10.20.0.0/16
INI
  cat >> c.ini
}

good_devices() {
  printf 'mac,serial_number,ip,group\n02:00:00:00:00:01,SN-1,10.20.0.1,cameras\n' > d.csv
}

# says NAME STATUS TEXT [OPTION…]: check exits so and says exactly TEXT on stderr.
says() {
  name=$1 want=$2
  printf '%s' "$3" > expected
  shift 3
  "$tap82" check -c c.ini "$@" > out 2> err
  status=$?
  if [ "$status" -ne "$want" ]; then
    report "$name" 1 "exit $status, not $want: $(cat err)"
  elif ! cmp -s expected err; then
    report "$name" 1 "said: $(cat err)"
  else
    report "$name" 0
  fi
}
n='
'

# --- Configuration ---------------------------------------------------------------------------------
good_devices
conf < /dev/null
says "a good configuration: exit 0, nothing on stderr" 0 ""

# wrong_key NAME LINE TEXT: a key added to the last section, [group cameras], which is line 11.
wrong_key() {
  printf '%s\n' "$2" | conf
  says "$1" 2 "tap82: c.ini: $3$n"
}
wrong_key "an unknown key" "colour = red" "[group cameras] colour: there is no such key (line 12)"
wrong_key "an unknown section" "[colours]" "[colours]: there is no such section (line 12)"
wrong_key "a dangling server" "servers = south" \
  "[group cameras] servers: there is no section [server south] (line 12)"
wrong_key "a bad relay" "relays = 10.20.0.256" \
  "[group cameras] relays: '10.20.0.256' is neither a relay's address nor l2 (line 12)"
wrong_key "a bad word" "reservation = maybe" \
  "[group cameras] reservation: 'maybe' is none of auto|host|pin (line 12)"
wrong_key "a key that stands twice" "subnets = 10.0.0.0/8" \
  "[group cameras] subnets: stands twice: first on line 11 (line 12)"
wrong_key "a section that stands twice" "[server north]" \
  "[server north]: stands twice: first on line 8 (line 12)"
wrong_key "a layout that does not exist" "[switches]${n}10.20.0.1 = nosuch" \
  "[switches] 10.20.0.1: there is no layout 'nosuch'"
wrong_key "a layout that makes no sense" "[layout x]${n}circuit-id = vlan:99" "[layout x]: 'vlan:99': no word of a layout"
wrong_key "an event that does not exist" "[webhook w]${n}url = http://x/${n}events = a.b" \
  "[webhook w] events: there is no event 'a.b' (line 14)"
echo hello | conf
says "a line that is nothing" 2 \
  "tap82: c.ini:12: is neither [SECTION] nor KEY = VALUE nor a comment$n"
wrong_key "a value that iniparser would cut" "[webhook w]${n}url = http://x/a;b" \
  "[webhook w] url: ';' begins a comment: a value that holds one stands in quotes (line 13)"

conf "stream-hold = 5 minutes" < /dev/null
says "a bad duration" 2 "tap82: c.ini: [tap82] stream-hold: '5 minutes' is no duration: a number \
and ms, s, m, h or d (line 5)$n"
conf "listen = 10.0.0.1:80" < /dev/null
says "every problem is listed" 2 "tap82: c.ini: [tap82] listen: stands twice: first on line 4 (line 5)$n"
printf '[server b]\naddress = 127.0.0.1\nkey-name = k\n[group g]\nsubnets = x\n' | conf "user = a b"
says "every problem is listed, of several sections" 2 "\
tap82: c.ini: [tap82] user: 'a b' is not made of letters, digits, '.', '_' and '-' (at most 63) (line 5)
tap82: c.ini: [group cameras] servers: is missing
tap82: c.ini: [group g] subnets: 'x' is no subnet (like 10.20.0.0/16) (line 16)
tap82: c.ini: [group g] servers: is missing
tap82: c.ini: [server b] key-file: is missing: there is a key-name
tap82: c.ini: [server b] address: [server north] has the same address and port
tap82: c.ini: [server b] server-id: [server north] has the same server identifier
"

rm -f c.ini
says "no configuration" 2 "tap82: c.ini: cannot be read: No such file or directory$n"

# --- Secrets ---------------------------------------------------------------------------------------
conf << INI
[server south]
address = 127.0.0.2
key-name = k
key-file = $tmp/key
INI
sed -i 's/^subnets.*/&\nservers = north/' c.ini
key="tap82: c.ini: [server south] key-file: $tmp/key:"
says "a key file that is not there" 2 "$key No such file or directory$n"
echo c2VjcmV0 > key
chmod 644 key
says "a key file that others can read" 2 "$key must not be readable by others or writable by \
anybody but its owner (chmod 600)$n"
chmod 600 key
says "a key file that only we can read" 0 ""
echo 'not base64!' > key
says "a key that is no base64" 2 "$key is not base64$n"

# --- Devices ---------------------------------------------------------------------------------------
conf < /dev/null
# wrong_row NAME CSV TEXT
wrong_row() {
  printf '%b' "$2" > d.csv
  says "$1" 2 "tap82: $tmp/d.csv:$3$n"
}
head='mac,serial_number\n'
wrong_row "a row with a bad MAC" "${head}02:00,S\n" "2: mac: '02:00' is no MAC address"
wrong_row "a row without serial number" "${head}020000000001,\n" "2: serial_number: is missing"
wrong_row "a MAC that stands twice" "${head}020000000001,S\n020000000002,T\n020000000001,U\n" \
  "4: mac: is the same as on line 2"
wrong_row "an unknown column" "mac,serial_number,colour\n" "1: there is no column 'colour' (mac, \
serial_number, uuid, name, ip, circuit_id, remote_id, group)"
wrong_row "a group that does not exist" "mac,serial_number,group\n020000000001,S,west\n" \
  "2: group: there is no section [group west]"
wrong_row "a quote that is never closed" "${head}020000000001,\"S\n" \
  "2: a quote is opened here and never closed"
wrong_row "an empty file" "" "1: the header row is missing"
wrong_row "two bad rows" "${head}x,S\n020000000001,\n" "2: mac: 'x' is no MAC address${n}\
tap82: $tmp/d.csv:3: serial_number: is missing"
rm -f d.csv
says "a file that is not there" 2 "tap82: $tmp/d.csv: cannot be read: No such file or directory$n"
conf "inventory-errors = skip" < /dev/null
says "a file that is not there, skip or not" 2 \
  "tap82: $tmp/d.csv: cannot be read: No such file or directory$n"
printf '%b' "${head}x,S\n020000000001,T\n" > d.csv
says "a bad row that is skipped: told, exit 0" 0 "tap82: $tmp/d.csv:2: mac: 'x' is no MAC address$n"
printf '%b' "${head}020000000001,\"T\n" > d.csv
says "what cannot be skipped is refused" 2 \
  "tap82: $tmp/d.csv:2: a quote is opened here and never closed$n"

# --- Store -----------------------------------------------------------------------------------------
good_devices
conf < /dev/null
echo "this is no database, and longer than a header would be: $(seq 100)" > s.db
says "a store that is none: exit 1" 1 "tap82: store $tmp/s.db: file is not a database$n"
says "which cannot be repaired either" 1 "tap82: store $tmp/s.db: file is not a database$n" --repair
rm -f s.db
says "no store to repair: exit 3" 3 "tap82: store $tmp/s.db: No such file or directory$n" --repair

# --- Form ------------------------------------------------------------------------------------------
"$tap82" check -c c.ini --json > out 2> err
jq -es 'length == 3 and all(.check and .object and .detail and (.state | IN("good", "note", "wrong")))' \
  < out > /dev/null
report "--json: one object a line" $? "$(cat out err)"
"$tap82" check -c c.ini surprise > out 2> err
[ $? -eq 2 ] && grep -q "^tap82: check: takes no operand: 'surprise'" err
report "an operand is wrong usage" $? "$(cat err)"
"$tap82" check -c "$top/config/tap82.ini" > out 2> err
grep -q "^tap82: .*/config/tap82.ini: \[server north\] key-file: /etc/tap82/keys/omapi.key: " err &&
  [ "$(grep -c . err)" -le 2 ]
report "of the shipped example only the files beside it are missing" $? "$(cat err)"

[ "$failures" -eq 0 ]
