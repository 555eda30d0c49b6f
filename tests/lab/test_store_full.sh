#!/bin/sh
# SPDX-License-Identifier: ISC
# The disk of the store is full: capture and decisions go on, nothing is spoken before it is
# durable, and all of it happens when there is room again.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
metric_is() {
  curl -s --unix-socket "$tmp/state/tap82.sock" http://localhost/metrics | grep -qx "$1"
}
health_says() {
  curl -s --unix-socket "$tmp/state/tap82.sock" http://localhost/healthz | grep -q "$1"
}

lab_init "${1:?test_store_full.sh BUILD}"
trap 'umount "$tmp/small" 2> /dev/null; lab_cleanup' EXIT
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
CSV
mkdir "$tmp/small"
mount -t tmpfs -o size=4m,mode=777 tmpfs "$tmp/small" || lab_die "cannot mount"
lab_tap82_conf
sed -i "s|^state .*|state = $tmp/small/tap82.db|" "$tmp/tap82.ini"
lab_dhcpd_conf
lab_dhcpd
lab_tap82
asks 02:00:00:00:00:01 1
check "with room: the camera is provisioned" wait_for 10 handed_over 02:00:00:00:00:01

dd if=/dev/zero of="$tmp/small/fill" bs=4k count=4096 2> /dev/null
asks 02:00:00:00:00:02 2
check "full: the metric says so" wait_for 10 metric_is "tap82_store_up 0"
check "healthz is degraded" health_says '"degraded"'
check "the log says so once" test "$(grep -c 'work waits in memory' "$tmp/tap82.log")" = 1
sleep 1
check "nothing is spoken before it is durable" host_is_not 02:00:00:00:00:02
check "packets are still counted" metric_is 'tap82_capture_messages_total{capture="server",result="dhcp"} [0-9]*'
check "a change by hand is answered 503" sh -c "curl -s -o /dev/null -w '%{http_code}' -X PUT \
  --unix-socket '$tmp/state/tap82.sock' -d '{\"serial_number\":\"SN-3\"}' \
  http://localhost/v1/devices/02:00:00:00:00:03 | grep -qx 503"

rm "$tmp/small/fill"
check "room again: the camera is provisioned without a new ACK" wait_for 15 handed_over 02:00:00:00:00:02
check "the metric is back" metric_is "tap82_store_up 1"
check "store.degraded is in the log" event_seen '.event == "store.degraded"'
check "the change by hand is there" t82 devices show 02:00:00:00:00:03
exit "$lab_failures"
