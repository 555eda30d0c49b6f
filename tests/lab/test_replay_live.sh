#!/bin/sh
# SPDX-License-Identifier: ISC
# replay --live: a capture's reservations are made in a real dhcpd; a dead one fails in time.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

camera=02:00:00:00:00:01
pcaps=$(cd "$(dirname "$0")/../../pcaps/scenes" && pwd)

replay() {
  on_server "$tap82" replay -c "$tmp/tap82.ini" --live --json "$@" > "$tmp/replay.out" 2> "$tmp/replay.err"
}
replayed() { jq -e -s "$1" "$tmp/replay.out" > /dev/null; }

lab_init "${1:?test_replay_live.sh BUILD}"
lab_net
lab_dhcpd_conf 6
lab_devices << CSV
mac,serial_number,name
$camera,SN-0001,gate north
02:00:00:00:00:02,SN-0002,gate south
CSV
lab_tap82_conf
lab_dhcpd

check "it ends well" replay "$pcaps/new-camera.pcap"
check "it tells the whole way" replayed '[.[].event] | index("provision.handoff") != null'
check "dhcpd holds the host" host_is "$camera" 10.50.0.21
check "again it finds what it made, and ends well" replay "$pcaps/new-camera.pcap"
check "a move of the address is a move of the host" replay "$pcaps/address-change.pcap"
check "dhcpd holds the second address" host_is "$camera" 10.50.0.31
check "events carry the packets' times, also of what dhcpd answered" \
  replayed 'all(.[]; .time | startswith("2026-01-05T08:"))'

lab_stop "$dhcpd_pid"
sed -i 's/^\[tap82\]/[tap82]\nreservation-timeout = 3s/' "$tmp/tap82.ini"
begin=$(date +%s)
if replay "$pcaps/new-camera.pcap"; then status=0; else status=$?; fi
took=$(($(date +%s) - begin))
check "a dead dhcpd makes it end with 1" test "$status" = 1
check "it drains no longer than reservation-timeout, about" test "$took" -le 15
check "the failure is told with the VMS's title" \
  replayed 'any(.[]; .title == "DHCP. Failed to Create DHCP Reservation")'
