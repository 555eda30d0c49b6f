#!/bin/sh
# SPDX-License-Identifier: ISC
# Each process of a running tap82 tries what it must not be able to do (a test build can be told to),
# and each has no more privilege than its work needs.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:-build/release}"
# Not the one of the sanitizers: their engine's list is wider, for the leak checker.
make -s -C "$top" VARIANT=hooks build/hooks/tap82 > /dev/null || lab_die "no test build"
tap82=$top/build/hooks/tap82

lab_net
lab_dhcpd_conf
lab_dhcpd
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n' | lab_devices
(umask 077 && echo "the-word-of-the-api-$$" > "$tmp/api.token" && echo "the-word-of-the-vms-$$" > "$tmp/vms.token")
lab_settings="api-token-file = $tmp/api.token"
lab_tap82_conf
cat >> "$tmp/tap82.ini" << CONF
[webhook vms]
url = http://127.0.0.1:1/
token-file = $tmp/vms.token
CONF
rm -f /etc/tap82-trial
TAP82_TEST_TRIAL=1 ip netns exec "$server_ns" "$tap82" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 &
tap82_pid=$!
lab_pids="$lab_pids $tap82_pid"
wait_for 10 lab_healthy || lab_die "tap82 run does not answer"

# refused WHO WHAT…: each of them, by its list of system calls.
tried() { grep "trial $1: " "$tmp/tap82.log"; }
refused() {
  who=$1
  shift
  wait_for 10 tried "$who" || { echo "it has not tried"; return 1; }
  for what in "$@"; do
    tried "$who" | grep -q " $what=EPERM" || { tried "$who"; return 1; }
  done
}
check "a running sniffer can do nothing of it" refused sniffer read write inet packet exec kill ptrace fork
check "a running starter can't write, run, signal or reach the network" \
  refused starter write inet exec kill ptrace
check "a running engine can't run, fork, signal or take packets" refused engine packet exec kill ptrace fork
check "nothing was written" test ! -e /etc/tap82-trial

# has PID FIELD VALUE: a line of its status.
has() { grep -q "^$2:[[:space:]]*$3" "/proc/$1/status" || { grep "^$2:" "/proc/$1/status"; return 1; }; }
family=$(lab_family)
engine=$(echo "$family" | cut -d' ' -f1)
starter=$(echo "$family" | cut -d' ' -f2)
sniffer=$(echo "$family" | cut -d' ' -f3)
for who in engine sniffer; do
  eval "pid=\$$who"
  for set in Inh Prm Eff Bnd Amb; do
    check "the $who has no capabilities ($set)" has "$pid" "Cap$set" '0*$'
  done
  check "the $who is the user" has "$pid" Uid "$(id -u nobody)[[:space:]]"
done
# CAP_SETGID, CAP_SETUID, CAP_NET_RAW
check "the starter can become another user and capture, no more" has "$starter" CapPrm '00000000000020c0$'
check "nor can it gain anything" has "$starter" CapBnd '0*$'
for pid in $family; do
  check "$(cat "/proc/$pid/comm") gains nothing" has "$pid" NoNewPrivs 1
  check "$(cat "/proc/$pid/comm") has a list of system calls" has "$pid" Seccomp 2
done
net_of() { readlink "/proc/$1/ns/net"; }
check "the sniffer is in a network of its own" test "$(net_of "$sniffer")" != "$(net_of "$engine")"

# What the kernel lets nobody dump or look into belongs to root, whoever runs it.
for pid in $family; do
  check "$(cat "/proc/$pid/comm") cannot be dumped" test "$(stat -c %u "/proc/$pid/fd")" -eq 0
done
for fd in 0 1 2; do
  check "the sniffer speaks to nobody but the starter ($fd)" sh -c "readlink /proc/$sniffer/fd/$fd | grep -q '^pipe:'"
done

# All this, and it works.
cameras --timeout 8s --quiet dora mac=02:00:00:00:00:01 relay=10.20.0.1 circuit=1 remote=1 > "$tmp/cameras.out"
check "a camera is provisioned" wait_for 10 event_seen '.event == "provision.handoff"'
kill -KILL "$sniffer"
back() { pid=$(lab_sniffer_pid) && [ -n "$pid" ] && [ "$pid" != "$sniffer" ]; }
check "a sniffer that is killed is replaced" wait_for 5 back
check "by one that is locked in as well" wait_for 5 has "$(lab_sniffer_pid)" CapPrm '0*$'

# Nothing that is said or kept has a secret in it.
for path in healthz metrics v1/status v1/devices v1/events v1/unknown v1/reservations openapi.json ''; do
  curl -s --unix-socket "$tmp/state/tap82.sock" "http://localhost/$path" >> "$tmp/answers"
done
curl -s --unix-socket "$tmp/state/tap82.sock" http://localhost/v1/devices/02:00:00:00:00:01/explain >> "$tmp/answers"
check "the API answers" grep -q tap82_start_time "$tmp/answers"
secret_free() {
  ! grep -aF -e "$lab_key" -e "the-word-of-the-api-$$" -e "the-word-of-the-vms-$$" "$@"
}
found() { ! secret_free "$@"; }
check "a secret would be found" found "$lab_key_file"
check "no secret is in the API's answers" secret_free "$tmp/answers"
check "nor in the log and the events" secret_free "$tmp/tap82.log" "$tmp/state/events.jsonl"
check "nor in the store" secret_free "$tmp/state/tap82.db" "$tmp/state/tap82.db-wal"
exit 0
