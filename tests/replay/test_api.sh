#!/bin/sh
# SPDX-License-Identifier: ISC
# `tap82 run` over a capture file, without root: the API, its errors, the command line's clients.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

# t82 EXPECTED-EXIT COMMAND…
t82() {
  want=$1
  shift
  "$build/tap82" "$@" -c "$tmp/tap82.ini"
  got=$?
  [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; return 1; }
}
local_api() { curl -s --unix-socket "$tmp/tap82.sock" "$@"; }
tcp_api() { curl -s "$@"; }
# status_is CODE curl arguments…: over the Unix socket, or over TCP where the URL is the whole one.
status_is() {
  want=$1
  shift
  got=$(local_api -o "$tmp/body" -w '%{http_code}' "$@")
  cat "$tmp/body"
  [ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}
tcp_status_is() {
  want=$1
  shift
  got=$(tcp_api -o "$tmp/body" -w '%{http_code}' "$@")
  [ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}
body_is() { jq -e "$1" "$tmp/body"; }

port=$((20000 + $$ % 20000))
base=http://localhost
tcp=http://127.0.0.1:$port
(umask 077 && echo "the-token" > "$tmp/token")
printf 'mac,serial_number,name\n02:00:00:00:00:01,SN-1,"gate, north"\n' > "$tmp/devices.csv"
cat > "$tmp/tap82.ini" << CONF
[tap82]
state          = $tmp/tap82.db
devices        = $tmp/devices.csv
listen         = $tmp/tap82.sock, 127.0.0.1:$port
metrics-listen = 127.0.0.1:$((port + 1))
api-token-file = $tmp/token
event-log      = $tmp/events.jsonl
user           =
[capture file]
file = pcaps/scenes/new-camera.pcap
[server north]
address   = 127.0.0.1
port      = 1
server-id = 10.99.0.1
[group cameras]
subnets = 10.50.0.0/24
relays  = 10.50.0.1
servers = north
CONF

check "no daemon: the command says so and fails" sh -c \
  "'$build/tap82' status -c '$tmp/tap82.ini' 2>&1; [ \$? = 1 ]"
check "it names the socket" sh -c \
  "'$build/tap82' status -c '$tmp/tap82.ini' 2>&1 | grep -q '^tap82: $tmp/tap82.sock: cannot connect: '"
"$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
pid=$!
wait_for 10 local_api -f "$base/healthz" || { echo "not ok - run: $(tail -3 "$tmp/log")"; exit 1; }
wait_for 5 sh -c "grep -q dhcp.ip_allocation '$tmp/events.jsonl'"

check "healthz: degraded without dhcpd, and 200" status_is 200 "$base/healthz"
check "it says why" body_is '.status == "degraded" and (.reasons | any(test("north")))'
check "the socket is for its group" sh -c "stat -c %a '$tmp/tap82.sock' | grep -qx 660"
check "status" status_is 200 "$base/v1/status"
check "status has captures and servers" body_is \
  '.captures[0].packets == 6 and .captures[0].state == "finished" and .servers[0].state == "unreachable"'
check "devices" status_is 200 "$base/v1/devices"
check "devices is a list" body_is 'length == 1 and .[0].mac == "02:00:00:00:00:01" and .[0].state == "reserving"'
check "devices by state" status_is 200 "$base/v1/devices?state=failed"
check "none failed" body_is 'length == 0'
check "no such state" status_is 400 "$base/v1/devices?state=odd"
check "it names the field" body_is '.field == "state" and (.error | length > 0)'
check "a device in another spelling" status_is 200 "$base/v1/devices/0200.0000.0001"
check "no such device" status_is 404 "$base/v1/devices/02:00:00:00:00:99"
check "no MAC" status_is 400 "$base/v1/devices/02:00"
check "no such path" status_is 404 "$base/v2/devices"
check "no such method" status_is 405 -X DELETE "$base/v1/status"
check "a new device" status_is 201 -X PUT "$base/v1/devices/02:00:00:00:00:05" \
  -d '{"serial_number": "SN-5", "name": "yard"}'
check "it is there" body_is '.mac == "02:00:00:00:00:05" and .serial_number == "SN-5" and .state == "new"'
check "the same again is no new one" status_is 200 -X PUT "$base/v1/devices/02:00:00:00:00:05" \
  -d '{"serial_number": "SN-5", "name": "yard"}'
check "another's serial number" status_is 409 -X PUT "$base/v1/devices/02:00:00:00:00:06" \
  -d '{"serial_number": "SN-5"}'
check "names serial_number" body_is '.field == "serial_number"'
check "no serial number" status_is 400 -X PUT "$base/v1/devices/02:00:00:00:00:06" -d '{}'
check "no JSON" status_is 400 -X PUT "$base/v1/devices/02:00:00:00:00:06" -d 'x'
check "a field that does not exist" status_is 400 -X PUT "$base/v1/devices/02:00:00:00:00:06" \
  -d '{"serial_number": "SN-6", "colour": "red"}'
check "a bad address" status_is 400 -X PUT "$base/v1/devices/02:00:00:00:00:06" \
  -d '{"serial_number": "SN-6", "ip": "10.50.0.999"}'
check "names ip" body_is '.field == "ip"'
check "a body that is too long" sh -c "head -c 2000000 /dev/zero |
  curl -s --unix-socket '$tmp/tap82.sock' -X PUT -H Expect: --data-binary @- -o /dev/null \
    -w '%{http_code}' $base/v1/devices/02:00:00:00:00:06 | grep -qx 413"
check "explain" status_is 200 "$base/v1/devices/02:00:00:00:00:01/explain"
check "explain has steps" body_is '.steps | length >= 12'
check "unknown" status_is 200 "$base/v1/unknown"
check "reservations" status_is 200 "$base/v1/reservations"
check "the reservation waits for its server" body_is '.[0].server == "north" and .[0].ip == "10.50.0.21"'
check "retry" status_is 202 -X POST "$base/v1/reservations/02:00:00:00:00:01/retry"
check "retry of a device without an address" status_is 409 -X POST "$base/v1/reservations/02:00:00:00:00:05/retry"
check "retry of nobody" status_is 404 -X POST "$base/v1/reservations/02:00:00:00:00:99/retry"
check "events" status_is 200 "$base/v1/events?event=dhcp.ip_allocation"
check "two exchanges, two allocations" body_is 'length == 2 and .[0].title == "DHCP. IP Address Allocation"'
check "events of another camera" status_is 200 "$base/v1/events?mac=02:00:00:00:00:77"
check "there are none" body_is 'length == 0'
check "events since a time to come" status_is 200 "$base/v1/events?since=2999-01-01T00:00:00Z"
check "there are none yet" body_is 'length == 0'
check "since nonsense" status_is 400 "$base/v1/events?since=yesterday"
check "delete" status_is 200 -X DELETE "$base/v1/devices/02:00:00:00:00:05"
check "delete again" status_is 404 -X DELETE "$base/v1/devices/02:00:00:00:00:05"
check "the page" status_is 200 "$base/"
check "the page has a policy" sh -c \
  "curl -sI --unix-socket '$tmp/tap82.sock' $base/ | grep -qi \"^content-security-policy: default-src 'none'\""
check "metrics" status_is 200 "$base/metrics"
check "packets are counted" grep -qx 'tap82_capture_packets_total{capture="file"} 6' "$tmp/body"
check "each metric is named once and well" sh -c "! grep '^# TYPE' '$tmp/body' | cut -d' ' -f3 |
  sort | uniq -d | grep . && ! grep '^# TYPE .* counter' '$tmp/body' |
  grep -v '_total counter\$\|_sum counter\$\|_count counter\$' | grep ."

check "TCP reads" tcp_status_is 200 "$tcp/v1/devices"
check "TCP does not read for another site's page" tcp_status_is 403 -H "Host: evil.example" "$tcp/v1/devices"
check "TCP does not write without the token" tcp_status_is 401 -X DELETE "$tcp/v1/devices/02:00:00:00:00:01"
check "nor with a wrong one" tcp_status_is 401 -X DELETE -H "Authorization: Bearer the-tokem" \
  "$tcp/v1/devices/02:00:00:00:00:01"
check "it writes with the token" tcp_status_is 201 -X PUT -H "Authorization: Bearer the-token" \
  "$tcp/v1/devices/02:00:00:00:00:08" -d '{"serial_number": "SN-8"}'
check "metrics-listen has metrics" tcp_status_is 200 "http://127.0.0.1:$((port + 1))/metrics"
check "and nothing else" tcp_status_is 404 "http://127.0.0.1:$((port + 1))/v1/devices"

"$build/tap82" events --follow --json -c "$tmp/tap82.ini" > "$tmp/followed" 2>&1 &
follower=$!
sleep 0.3
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n02:00:00:00:00:02,SN-2\n' > "$tmp/devices.csv"
check "reload" status_is 200 -X POST "$base/v1/reload"
check "a follower sees it" wait_for 3 grep -q inventory.loaded "$tmp/followed"
kill "$follower"
wait "$follower" 2> /dev/null
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\nodd,SN-2\n' > "$tmp/devices.csv"
check "a broken table is refused" status_is 422 -X POST "$base/v1/reload"
check "with file and line" body_is '.error | test("devices.csv:3: ")'
check "the table in use stays" status_is 200 "$base/v1/devices/02:00:00:00:00:02"

check "CLI: status" t82 0 status
check "CLI: devices show" t82 0 devices show 02-00-00-00-00-01
check "CLI: devices show nobody: exit 3" t82 3 devices show 02:00:00:00:00:99
check "CLI: devices show nonsense: exit 2" t82 2 devices show zz
check "CLI: add" t82 0 devices add 02:00:00:00:00:10 serial_number=SN-10 "name=a, b"
check "CLI: export quotes" sh -c "'$build/tap82' devices export -c '$tmp/tap82.ini' | grep -q '\"a, b\"'"
"$build/tap82" devices export -c "$tmp/tap82.ini" > "$tmp/export.csv"
check "CLI: import takes the export, nothing is new" sh -c \
  "'$build/tap82' devices import '$tmp/export.csv' --json -c '$tmp/tap82.ini' | grep -q '\"created\":0'"
check "CLI: import of nonsense: exit 1, with the line" sh -c \
  "printf 'mac,serial_number\nodd,1\n' > '$tmp/bad.csv'
   '$build/tap82' devices import '$tmp/bad.csv' -c '$tmp/tap82.ini' 2>&1 | grep -q 'bad.csv:2: '"
check "CLI: remove" t82 0 devices remove 02:00:00:00:00:10
check "CLI: remove again: exit 3" t82 3 devices remove 02:00:00:00:00:10
check "CLI: list as JSON Lines" sh -c \
  "'$build/tap82' devices list --json -c '$tmp/tap82.ini' | jq -e .mac | grep -q 02:00:00:00:00:01"
check "CLI: events since a while ago" t82 0 events --since 1h --json
check "CLI: reservations" t82 0 reservations
check "CLI: explain" t82 0 explain 02:00:00:00:00:01
check "CLI: explain nobody" t82 0 explain 02:00:00:00:00:99
check "CLI: unknown" t82 0 unknown

# table ROWS WORD: every camera is named WORD and its number.
table() {
  awk -v n="$1" -v word="$2" 'BEGIN {
    print "mac,serial_number,name"
    for (i = 1; i <= n; i++)
      printf "02:00:01:%02x:%02x:%02x,BIG-%d,%s %d\n", i / 65536, i / 256 % 256, i % 256, i, word, i
  }'
}
named() {
  name_now=$(local_api "$base/v1/devices/02:00:01:00:00:07" | jq -r .name)
  [ "$name_now" = "$1 7" ] || { echo "it is named '$name_now'"; return 1; }
}
rows=20000
table $rows old > "$tmp/devices.csv"
check "a table of many is taken" status_is 200 -X POST "$base/v1/reload?force=1"
check "and answers" named old
{ table $rows broken; echo "02:00:01:00:00:07,BIG-x,twice"; } > "$tmp/devices.csv"
check "a bad row at its end: nothing of it is taken" status_is 422 -X POST "$base/v1/reload"
check "the row is named" body_is ".error | test(\"devices.csv:$((rows + 2)): mac: \")"
check "the old rows answer" named old
table $rows new > "$tmp/devices.csv"
local_api -X POST "$base/v1/reload" > "$tmp/reloaded" &
reloading=$!
asked=0
while kill -0 "$reloading" 2> /dev/null; do
  status_is 200 "$base/v1/devices/02:00:01:00:00:07" > "$tmp/out" || break
  asked=$((asked + 1))
done
wait "$reloading"
check "while it is taken over the table answers ($asked times)" body_is '.name == "old 7" or .name == "new 7"'
check "then with the new rows" named new
table 15000 short > "$tmp/devices.csv"
reload() { t82 "$1" devices reload ${2:+"$2"} > "$tmp/said" 2>&1; }
said() { cat "$tmp/said"; grep -qE -e "$1" "$tmp/said"; }
check "a file without a fourth of the devices is refused" reload 1 ""
check "it says how to force it" said "devices reload --force"
check "nothing of it is taken" named new
check "the event says how many" sh -c \
  "grep inventory.rejected '$tmp/events.jsonl' | tail -1 | grep -q 'would remove 5000 of 200..'"
check "SIGHUP does not force it" sh -c "kill -HUP $pid; sleep 0.5"
check "still nothing of it" named new
check "--force takes it" reload 0 --force
check "and says how many there are" said "devices: 150..$"
check "the rows are another's" named short

ids=$(jq -r .id "$tmp/events.jsonl" | sort | uniq -d | wc -l)
check "the log has each id once" test "$ids" = 0
kill "$pid"
wait "$pid"
check "SIGTERM: exit 0" test $? = 0
pid=""
table 100 cut > "$tmp/devices.csv"
"$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
pid=$!
check "a start with a file that was cut keeps the devices of before" wait_for 10 named short
check "and says so" grep -q "would remove more than a tenth" "$tmp/log"
kill "$pid"
wait "$pid"
pid=""
check "the socket is gone" test ! -e "$tmp/tap82.sock"
check "no sanitizer complained" sh -c "! grep -E 'ERROR: |runtime error' '$tmp/log'"
exit "$failures"
