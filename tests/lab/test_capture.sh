#!/bin/sh
# SPDX-License-Identifier: ISC
# What happens to interfaces while tap82 runs: down, up, gone, renamed; and packets that were lost.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

capture_is() { [ "$(t82 status --json | jq -r ".captures[] | select(.name == \"$1\") | .state")" = "$2" ]; }
new_interface() {
  on_server ip link add cap0 type veth peer name cap1
  on_server ip link set cap1 up
  on_server ip link set cap0 up
}

lab_init "${1:?test_capture.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
CSV
lab_tap82_conf
cat >> "$tmp/tap82.ini" << CONF
[capture second]
interface = cap0
buffer    = 1M
CONF
new_interface
lab_dhcpd_conf
lab_dhcpd
lab_tap82
check "both captures are open" capture_is second open

# A sniffer that stands still while more comes than its ring holds.
second=$(ps -o pid= --ppid "$(ps -o pid= --ppid "$tap82_pid" | tr -d ' ')" | tail -1)
kill -STOP "$second"
stopped=$(date -u +%Y-%m-%dT%H:%M:%S)
on_server "$build/lab/inject" cap1 "$top/pcaps/scenes/unknown-server.pcap" 20000 1 > "$tmp/out" 2>&1
kill -CONT "$second"
check "packets lost in the kernel: capture.loss with a number and a span of time" \
  wait_for 10 event_seen '.event == "capture.loss" and (.detail | test("[0-9]+ packets lost between .*Z and .*Z"))'
# The last look before was at most a second before it stood still.
check "the span is the one in which they were lost" event_seen ".event == \"capture.loss\" and
  (.detail | capture(\"between (?<from>[^ ]*)Z and (?<to>[^ ]*)Z\") | .from < \"$stopped.999999\" and .to > \"$stopped\")"
check "they are counted" sh -c "curl -s --unix-socket '$tmp/state/tap82.sock' http://localhost/metrics |
  grep 'tap82_capture_drops_total{capture=\"second\"}' | grep -qv ' 0\$'"
check "a stranger's server is told once" test "$(event_count '.event == "dhcp.unknown_server"')" -le 1

on_server ip link set cap0 down
check "down: it is said" wait_for 5 capture_is second down
check "healthz is degraded, and says which" wait_for 5 sh -c \
  "curl -sf --unix-socket '$tmp/state/tap82.sock' http://localhost/healthz | grep -q 'capture second: '"
check "the other capture goes on" capture_is server open
on_server ip link set cap0 up
check "up: it is open again by itself" wait_for 10 capture_is second open
check "sniffer.restarted tells" wait_for 5 event_seen '.event == "sniffer.restarted" and (.detail | test("cap0"))'

on_server ip link del cap0
check "gone: it is said" wait_for 5 capture_is second down
sleep 1
check "once, not at every attempt" test "$(grep -c 'capture second: cap0' "$tmp/tap82.log")" -le 4
new_interface
check "there again: it is open by itself" wait_for 10 capture_is second open

on_server ip link set cap0 down
on_server ip link set cap0 name cap9
on_server ip link set cap9 up
check "renamed: it is down, no other name is taken" wait_for 5 capture_is second down
on_server ip link set cap9 down
on_server ip link set cap9 name cap0
on_server ip link set cap0 up
check "renamed back: it is open" wait_for 10 capture_is second open

cameras --timeout 10s dora mac=02:00:00:00:00:01 relay=10.50.0.1 circuit=eth0/1 remote=sw-7 > "$tmp/cameras.out"
check "the main job was not disturbed" wait_for 10 event_seen '.event == "provision.handoff"'
exit "$lab_failures"
