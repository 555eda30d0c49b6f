#!/bin/sh
# SPDX-License-Identifier: ISC
# A packet that kills the process that decodes it (a test build has one): the sniffer dies, is back
# in less than a second, and the engine's work goes on beside a real dhcpd.
# shellcheck disable=SC2154 # set by lab_init and lab_net
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
lab_init "${1:-build/release}"

release=$build
lab_hooks

lab_net
lab_dhcpd_conf
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n02:00:00:00:00:02,SN-2\n' | lab_devices
lab_tap82_conf
lab_dhcpd
lab_tap82
"$release/lab/gen_shapes" -c "$tmp/crash.pcap"

provisioned() { event_seen ".event == \"dhcp.reservation_created\" and .mac == \"$1\""; }
ask() {
  cameras --timeout 8s --quiet dora mac="$1" relay=10.20.0.1 circuit=eth0/1 "remote=$2" \
    > "$tmp/cameras.out" 2>&1
}

ask 02:00:00:00:00:01 sw-1
check "a camera is provisioned before" wait_for 10 provisioned 02:00:00:00:00:01

sniffer=$(lab_sniffer_pid)
engine=$tap82_pid
on_relay "$release/lab/inject" br0 "$tmp/crash.pcap" > /dev/null
died() { ! kill -0 "$sniffer" 2> /dev/null; }
back() { pid=$(lab_sniffer_pid) && [ -n "$pid" ] && [ "$pid" != "$sniffer" ]; }
check "the packet kills the sniffer" wait_for 5 died
before=$(date +%s%N)
check "another one is started" wait_for 5 back
took=$((($(date +%s%N) - before) / 1000000))
check "in less than a second ($took ms)" test "$took" -lt 1000
check "the engine says so" wait_for 5 event_seen '.event == "sniffer.restarted"'
check "and lives" kill -0 "$engine"
sleep 0.3
ask 02:00:00:00:00:02 sw-2
check "a camera is provisioned after it" wait_for 10 provisioned 02:00:00:00:00:02

# The log is a file here: what a sniffer may write to is not.
LC_ALL=C sed 's/\xde\xad\xc0\xde/\xde\xad\xc0\xdf/' "$tmp/crash.pcap" > "$tmp/end.pcap"
logged() { grep -qF -- "$1" "$tmp/tap82.log"; }
sniffer=$(lab_sniffer_pid)
on_relay "$release/lab/inject" br0 "$tmp/end.pcap" > /dev/null
check "a sniffer that ends by itself is replaced" wait_for 5 back
check "the log has its own words" wait_for 5 logged 'capture server: sniffer: library: gone'
check "its terminal escapes are harmless" logged 'sniffer: library: last words \x1b[2J'
check "what the engine says of it has them, too" \
  logged 'capture server: srv0: sniffer ended with status 1: library: last words \x1b[2J'

exit 0
