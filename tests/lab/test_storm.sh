#!/bin/sh
# SPDX-License-Identifier: ISC
# A district after a power cut: a thousand cameras at once through a real dhcpd. Every camera that got
# an address has its reservation, dhcpd's hosts are exactly those, nothing is told twice.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

count=1000
export lab_place=/dev/shm # the disk's patience is not what is tried here
hosts() { grep -A3 '^host tap82-' "$tmp/leases1" | awk '$1 == "hardware" { mac = $3 } $1 == "fixed-address" { print mac, $2 }' | tr -d ';' | sort; }
reserved() { events | jq -r 'select(.event == "dhcp.reservation_created") | "\(.mac) \(.ip)"' | sort; }
leased() { jq -r 'select(.result == "ack") | "\(.mac) \(.ip)"' "$tmp/cameras.out" | sort; }
cameras_storm() {
  cameras --timeout 60s dora mac=02:00:00:01:00:01 count=$count rate=500 tries=20 relay=10.20.0.1 \
    circuit=eth0/%d remote=sw-7 > "$tmp/cameras.out"
}
all_handed_over() { [ "$(grep -c provision.handoff "$tmp/state/events.jsonl")" -ge "$count" ]; }

lab_init "${1:?test_storm.sh BUILD}"
lab_net
lab_dhcpd_conf
{
  echo mac,serial_number
  for n in $(seq 1 $count); do
    printf '02:00:00:01:%02x:%02x,SN-%d\n' $((n / 256)) $((n % 256)) "$n"
  done
} | lab_devices
lab_tap82_conf
lab_dhcpd
lab_tap82

check "every camera gets an address in the end" cameras_storm
check "every one is handed over" wait_for 60 all_handed_over
leased > "$tmp/leased"
reserved > "$tmp/reserved"
hosts > "$tmp/hosts"
check "a reservation for each lease, of the same address" diff "$tmp/leased" "$tmp/reserved"
check "dhcpd's hosts are exactly these" diff "$tmp/leased" "$tmp/hosts"
check "no event has the id of another" test -z "$(events | jq -r .id | sort | uniq -d)"
check "one hand-over a camera" test "$(event_count '.event == "provision.handoff"')" -eq $count
check "no loss in the capture" test "$(event_count '.event == "capture.loss"')" -eq 0
