#!/bin/sh
# SPDX-License-Identifier: ISC
# The store's file system cannot be written to: at the start tap82 refuses and says so; later, as a
# kernel does to a file system with errors, work waits in memory, nothing is spoken, and it goes on
# where that ends.
set -u
# What others start meanwhile would keep our mounts alive.
[ -n "${TAP82_MOUNTS:-}" ] || exec env TAP82_MOUNTS=private unshare --mount "$0" "$@"
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
ask_api() { curl -s --max-time 5 --unix-socket "$tmp/state/tap82.sock" "http://localhost$1"; }
metric_is() { ask_api /metrics | grep -qx "$1"; }
health_says() { ask_api /healthz | grep -q "$1"; }
logged() { grep -q -- "$1" "$tmp/tap82.log"; }
# refuses WHAT: it ends with status 1, and one line says what cannot be written and why.
refuses() {
  on_server "$tap82" run -c "$tmp/tap82.ini" > "$tmp/refused" 2>&1 &
  refused_pid=$!
  lab_pids="$lab_pids $refused_pid"
  wait "$refused_pid"
  [ $? -eq 1 ] && grep -q "^tap82: $1.*[Rr]ead-only file system" "$tmp/refused" || { cat "$tmp/refused" && false; }
}

lab_init "${1:?test_store_readonly.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
02:00:00:00:00:03,SN-3
CSV
lab_dhcpd_conf
lab_dhcpd # before the mount: its mount namespace would keep that alive
store=$tmp/disk/tap82.db
mkdir "$tmp/disk"
truncate -s 32M "$tmp/image"
mkfs.ext4 -q "$tmp/image" && mount -o loop,errors=remount-ro "$tmp/image" "$tmp/disk" || lab_die "cannot mount"
lab_mounts="$lab_mounts $tmp/disk"
chmod 777 "$tmp/disk"
lab_tap82_conf
sed -i "s|^state .*|state = $store|" "$tmp/tap82.ini"

mount -o remount,ro "$tmp/disk"
check "read-only, without a store: it refuses, and says why" refuses "$store"
mount -o remount,rw "$tmp/disk"
lab_tap82
asks 02:00:00:00:00:01 1
check "writable: the camera is provisioned" wait_for 10 handed_over 02:00:00:00:00:01
lab_stop "$tap82_pid"
mount -o remount,ro "$tmp/disk"
check "read-only, with a store: it refuses, and says why" refuses "$store"
t82 check > "$tmp/checked" 2>&1
check "'check' does not take it for missing" grep -q "^tap82: store $store: cannot be read: its folder cannot be written to" "$tmp/checked"
t82 check --online > "$tmp/checked" 2>&1
check "the doctor says what it is" grep -q "^tap82: disk $tmp/disk: the file system is read-only" "$tmp/checked"
mount -o remount,rw "$tmp/disk"
lab_tap82

# A file system with open files cannot be made read-only by hand; files that nobody may write can.
chattr +i "$store" "$store-wal"
asks 02:00:00:00:00:02 2
check "no longer writable: the metric says so" wait_for 10 metric_is "tap82_store_up 0"
check "nothing is spoken before it is durable" host_is_not 02:00:00:00:00:02
chattr -i "$store" "$store-wal"
check "writable again: the camera is provisioned without a new ACK" wait_for 15 handed_over 02:00:00:00:00:02
check "the metric is back" wait_for 5 metric_is "tap82_store_up 1"

: > "$tmp/tap82.log"
errors=/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$tmp/disk")")/trigger_fs_error
echo 1 > "$errors"
asks 02:00:00:00:00:03 3
check "the kernel made it read-only: the metric says so" wait_for 10 metric_is "tap82_store_up 0"
check "healthz is degraded" health_says '"degraded"'
check "the log says so" logged "$store: cannot be written: .*: work waits in memory"
sleep 2
check "once" test "$(grep -c 'work waits in memory' "$tmp/tap82.log")" = 1
check "nothing is spoken" host_is_not 02:00:00:00:00:03
check "the API knows the camera" sh -c "curl -s --unix-socket '$tmp/state/tap82.sock' \
  http://localhost/v1/devices/02:00:00:00:00:03 | grep -q SN-3"
family=$(lab_family)
kill "$tap82_pid"
# shellcheck disable=SC2086 # words
check "it can be stopped" wait_for 70 lab_all_gone $family

umount "$tmp/disk"
wait_for 10 test ! -e "$errors" || lab_die "the file system is in use"
e2fsck -fp "$tmp/image" > "$tmp/fsck" 2>&1
mount -o loop,errors=remount-ro "$tmp/image" "$tmp/disk"
lab_tap82
check "repaired: who was provisioned still is" \
  test "$(ask_api /v1/status | jq .tables.provisioned)" -eq 2
asks 02:00:00:00:00:03 3
check "and the third is, with its next ACK" wait_for 10 handed_over 02:00:00:00:00:03
exit "$lab_failures"
