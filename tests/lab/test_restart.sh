#!/bin/sh
# SPDX-License-Identifier: ISC
# What begins in trouble ends well: dhcpd without OMAPI, a wrong key, kill -9, reloads, a dead
# sniffer, an orderly end.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
created_once() {
  [ "$(event_count ".event == \"dhcp.reservation_created\" and .mac == \"$1\"")" = 1 ]
}
came_twice() { [ "$(event_count ".event == \"dhcp.ip_allocation\" and .mac == \"$1\"")" -ge 2 ]; }
lines_of_log() { grep -c "$1" "$tmp/tap82.log"; }

lab_init "${1:?test_restart.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
02:00:00:00:00:03,SN-3
CSV
lab_tap82_conf

# dhcpd serves DHCP but has no OMAPI yet.
lab_dhcpd_conf
cp "$tmp/dhcpd1.conf" "$tmp/whole.conf"
grep -v omapi "$tmp/whole.conf" > "$tmp/dhcpd1.conf"
lab_dhcpd_silent
lab_tap82
check "no OMAPI: server.unreachable" wait_for 10 event_seen '.event == "server.unreachable" and .server == "north"'
asks 02:00:00:00:00:01 1
check "the allocation is told all the same" \
  wait_for 5 event_seen '.event == "dhcp.ip_allocation" and .mac == "02:00:00:00:00:01"'
sleep 2
check "no reservation is claimed" test "$(event_count '.event == "dhcp.reservation_created"')" = 0
check "it is said once, not at every attempt" test "$(lines_of_log 'server north')" -le 3

# kill -9 in the middle of it; then everything is well again.
family=$(lab_family)
check "engine, starter and sniffer are three processes" test "$(echo "$family" | wc -w)" = 3
# shellcheck disable=SC2086 # pids
check "they run" sh -c 'kill -0 "$@"' sh $family
lab_stop "$tap82_pid" KILL
# shellcheck disable=SC2086 # pids
check "kill -9 of the engine: starter and sniffer end by themselves" wait_for 5 lab_all_gone $family
lab_stop "$dhcpd_pid"
cp "$tmp/whole.conf" "$tmp/dhcpd1.conf"
lab_dhcpd
lab_tap82
check "after kill -9 the reservation is made without a new ACK" \
  wait_for 15 handed_over 02:00:00:00:00:01
check "dhcpd holds it" host_is 02:00:00:00:00:01 10.50.0.10
check "it was made once" created_once 02:00:00:00:00:01

# dhcpd goes away while tap82 runs, and comes back.
lab_stop "$dhcpd_pid"
check "dhcpd goes away: server.unreachable again" wait_for 10 sh -c \
  "[ \$(grep -c server.unreachable '$tmp/state/events.jsonl') -ge 2 ]"
lab_dhcpd
check "dhcpd comes back: server.recovered" wait_for 40 event_seen '.event == "server.recovered"'
asks 02:00:00:00:00:02 2
check "and the work goes on" wait_for 10 handed_over 02:00:00:00:00:02

# SIGHUP: a new row, then a broken one.
echo "02:00:00:00:00:04,SN-4" >> "$tmp/devices.csv"
kill -HUP "$tap82_pid"
check "SIGHUP: the new row is in the table" wait_for 5 t82 devices show 02:00:00:00:00:04
asks 02:00:00:00:00:04 4
check "its camera is provisioned" wait_for 10 handed_over 02:00:00:00:00:04
echo "broken row" >> "$tmp/devices.csv"
kill -HUP "$tap82_pid"
check "a broken table is refused, with file and line" \
  wait_for 5 event_seen '.event == "inventory.rejected" and (.detail | test("devices.csv:6: "))'
check "the table in use stays" t82 devices show 02:00:00:00:00:04
sed -i '$d' "$tmp/devices.csv"

# The process that parses packets dies.
sniffer=$(lab_sniffer_pid)
check "the sniffer is a process of its own" test -n "$sniffer"
[ -n "$sniffer" ] && kill -KILL "$sniffer"
check "a killed sniffer is started again" wait_for 5 event_seen '.event == "sniffer.restarted"'
sleep 1
asks 02:00:00:00:00:03 3
check "and its successor sees cameras" wait_for 10 handed_over 02:00:00:00:00:03

# A MAC in no table is told once a day, also over a restart.
asks 02:00:00:00:00:0f 9
unknown_told() { event_count '.event == "device.unknown" and .mac == "02:00:00:00:00:0f"'; }
check "a MAC in no table is told" wait_for 10 event_seen '.event == "device.unknown"'

# SIGTERM with work in hand: it drains, and ends well.
asks 02:00:00:00:00:01 1
family=$(lab_family)
kill -TERM "$tap82_pid"
wait "$tap82_pid"
check "SIGTERM ends it with 0" test $? -eq 0
# shellcheck disable=SC2086 # pids
check "its starter and its sniffer end, too" wait_for 2 lab_all_gone $family
check "nothing of it is left in the namespace" test -z "$(ip netns pids "$server_ns" | grep -vx "$dhcpd_pid")"

# A wrong key: refused is another thing than unreachable.
head -c 32 /dev/urandom | base64 > "$lab_key_file"
lab_tap82
t82 unknown --json > "$tmp/unknown.out"
check "after the restart a MAC in no table is known still" grep -q 02:00:00:00:00:0f "$tmp/unknown.out"
asks 02:00:00:00:00:0f 9
check "it comes again" wait_for 10 came_twice 02:00:00:00:00:0f
check "and is not told again" test "$(unknown_told)" = 1
check "a wrong key: server.refused" wait_for 10 event_seen '.event == "server.refused" and .server == "north"'
check "no key is in the log or in the events" test "$(cat "$tmp/tap82.log" "$tmp/state/events.jsonl" |
  grep -cF -e "$lab_key" -e "$(cat "$lab_key_file")")" = 0
