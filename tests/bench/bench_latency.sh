#!/bin/sh
# SPDX-License-Identifier: ISC
# From the ACK on the wire to the reservation that dhcpd has confirmed, on an idle machine, leases and
# store on this disk: bench_latency.sh BUILD [CAMERAS]. Both times are in the events: the packet's and
# the confirmation's.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"

count=${2:-200}
lab_init "${1:?bench_latency.sh BUILD}"
lab_net
lab_dhcpd_conf
{
  echo mac,serial_number
  for n in $(seq 1 "$count"); do
    printf '02:00:00:01:%02x:%02x,SN-%d\n' $((n / 256)) $((n % 256)) "$n"
  done
} | lab_devices
lab_settings="stream-hold = 1h"
lab_tap82_conf
lab_dhcpd
lab_tap82
cameras --timeout 60s --quiet dora mac=02:00:00:01:00:01 "count=$count" rate=20 relay=10.20.0.1 \
  circuit=eth0/%d remote=sw-7 > "$tmp/cameras.out"
all_created() { [ "$(event_count '.event == "dhcp.reservation_created"')" -eq "$count" ]; }
# What one durable write costs here and now: the figure below is six of dhcpd's and two of ours.
python3 - "$tmp" << 'PYTHON'
import os, sys, time
took = []
with open(sys.argv[1] + "/fsync", "ab") as f:
    for _ in range(200):
        f.write(b"x" * 200)
        f.flush()
        began = time.monotonic()
        os.fsync(f.fileno())
        took.append((time.monotonic() - began) * 1000)
took.sort()
print("write + fsync: p50 %.2f ms, p99 %.2f ms" % (took[100], took[197]))
PYTHON
wait_for 20 all_created || lab_die "$(event_count '.event == "dhcp.reservation_created"') of $count reservations"
events | jq -s -r '
  def usec: (.[0:19] + "Z" | fromdate) * 1000000 + (.[20:26] | tonumber);
  (map(select(.event == "dhcp.ip_allocation") | {(.mac): (.time | usec)}) | add) as $ack
  | [.[] | select(.event == "dhcp.reservation_created") | (.time | usec) - $ack[.mac]] | sort
  | "ACK -> confirmed: \(length) cameras, p50 \(.[length / 2 | floor] / 1000) ms, p99 \(.[length * 99 / 100 | floor] / 1000) ms, max \(.[-1] / 1000) ms"'
