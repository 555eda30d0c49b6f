#!/bin/sh
# SPDX-License-Identifier: ISC
# tap82 check --online beside a real dhcpd: what is well, what is not, and what to do about it.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2120 # check passes some
doctor() { on_server "$tap82" check --online -c "$tmp/tap82.ini" "$@" > "$tmp/out" 2> "$tmp/err"; }
says() { grep -qF "$1" "$tmp/out"; }
complains() { grep -q "^tap82: $1" "$tmp/err"; }

lab_init "${1:?test_doctor.sh BUILD}"
lab_net
lab_dhcpd_conf
lab_devices << CSV
mac,serial_number,ip
02:00:00:00:00:01,SN-1,
02:00:00:00:00:02,SN-2,10.50.0.11
02:00:00:00:00:03,SN-3,10.50.0.99
CSV
lab_tap82_conf
sed -i 's|subnets = .*|&, 10.60.0.0/24|' "$tmp/tap82.ini"
lab_dhcpd

# A camera asks while the doctor listens.
(sleep 1 && cameras --timeout 5s dora mac=02:00:00:00:00:01 relay=10.50.0.1 circuit=eth0/1 remote=sw) > /dev/null 2>&1 &
check "all is well: exit 0" doctor
wait $!
check "nothing is complained about" test ! -s "$tmp/err"
check "the capture is open" says "✓ capture server: srv0 is open"
check "DHCP with option 82 was seen" says "✓ traffic server: DHCP messages"
check "the login worked" says "✓ server north: login with key omapi_key (hmac-sha256)"
check "a subnet that dhcpd serves" says "✓ subnet north: [group cameras] 10.20.0.0/16: dhcpd has a range there"
check "a subnet that dhcpd does not know" \
  says "• subnet north: [group cameras] 10.60.0.0/24: no range of dhcpd's was found there"
check "a device's address inside a range, and only that one" \
  says "• range north: devices with an address inside a dynamic range: 1, for one 10.50.0.11"
check "silence is no fault" doctor --seconds 1
check "silence is told" says "• traffic server: DHCP messages 0, with option 82 0"
check "--json: one finding a line" sh -c "ip netns exec '$server_ns' '$tap82' check --online --json \
  --seconds 1 -c '$tmp/tap82.ini' | jq -es 'length > 6 and all(.check and .object and .state and .detail)'"

# A key that dhcpd does not have.
cp "$lab_key_file" "$tmp/good.key"
head -c 32 /dev/urandom | base64 > "$lab_key_file"
doctor
check "a wrong key: exit 1" test $? -eq 1
check "names the server, and what" complains "server north: login refused: "
check "and says what to do" says "✗ server north: compare key-name, key-file and key-algorithm"
check "no secret is shown" sh -c "! grep -qF '$(cat "$lab_key_file")' '$tmp/out' '$tmp/err'"
cp "$tmp/good.key" "$lab_key_file"

on_server ip link set srv0 down
doctor
check "an interface that is down: exit 1" test $? -eq 1
check "names the interface" complains "capture server: srv0"
on_server ip link set srv0 up
