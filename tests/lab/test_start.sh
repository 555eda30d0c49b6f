#!/bin/sh
# SPDX-License-Identifier: ISC
# Starting on bad ground: what is said and how it exits.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# fails_with STATUS TEXT COMMAND…: exits so, says so on one line that begins with "tap82: ".
fails_with() {
  want=$1 text=$2
  shift 2
  "$@" > "$tmp/out" 2> "$tmp/err"
  status=$?
  cat "$tmp/err"
  [ "$status" -eq "$want" ] || { echo "exit $status, not $want"; return 1; }
  grep -q "^tap82: .*$text" "$tmp/err"
}
start() { on_server timeout 10 "$tap82" run -c "$tmp/tap82.ini"; }
start_as_nobody() {
  on_server setpriv --reuid=65534 --regid=65534 --clear-groups \
    timeout 10 "$tap82" run -c "$tmp/tap82.ini"
}
fresh() {
  lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
CSV
  lab_tap82_conf
}

lab_init "${1:?test_start.sh BUILD}"
lab_net
fresh
check "no permission to capture: exit 1, names the interface" fails_with 1 srv0 start_as_nobody

sed -i 's/interface = srv0/interface = nothere0/' "$tmp/tap82.ini"
check "a missing interface: exit 1, names it" fails_with 1 nothere0 start
check "check --online names it too" fails_with 1 nothere0 on_server "$tap82" check --online -c "$tmp/tap82.ini"

fresh
echo 'surprise = 1' >> "$tmp/tap82.ini"
check "an unknown key: exit 2, names file, section and key" \
  fails_with 2 "tap82.ini: \\[group cameras\\] surprise" start
check "check lists it" fails_with 2 surprise on_server "$tap82" check -c "$tmp/tap82.ini"

fresh
sed -i 's/servers = north/servers = south/' "$tmp/tap82.ini"
check "a reference to a server that does not exist: exit 2" fails_with 2 south start

fresh
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\nnot-a-mac,SN-2\n' | lab_devices
check "a broken CSV: exit 2, names file and line" fails_with 2 "devices.csv:3: " start

fresh
chmod 644 "$lab_key_file"
check "a key file that others can read: exit 2" fails_with 2 omapi.key start
chmod 600 "$lab_key_file"

fresh
check "no configuration: exit 2, names it" fails_with 2 /nonexistent/tap82.ini "$tap82" run -c /nonexistent/tap82.ini

lab_dhcpd_conf
lab_dhcpd
check "check --online is content with a good one" on_server "$tap82" check --online -c "$tmp/tap82.ini"
head -c 32 /dev/urandom | base64 > "$lab_key_file"
check "check --online: a wrong key: exit 1, names the server" \
  fails_with 1 north on_server "$tap82" check --online -c "$tmp/tap82.ini"
lab_stop "$dhcpd_pid"
check "check --online: no dhcpd: exit 1, names the server" \
  fails_with 1 north on_server "$tap82" check --online -c "$tmp/tap82.ini"
