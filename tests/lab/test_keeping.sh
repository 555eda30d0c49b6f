#!/bin/sh
# SPDX-License-Identifier: ISC
# Reservations that hold: through the camera's own RELEASE, a thief, a restart of dhcpd, a lease file
# from a backup, auto-provisioning switched off, a frozen dhcpd.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

one=02:00:00:00:00:01 two=02:00:00:00:00:02 three=02:00:00:00:00:03 thief=02:00:00:00:0b:ad
asks() {
  mac=$1 port=$2
  shift 2
  cameras --timeout 20s dora "mac=$mac" relay=10.50.0.1 "circuit=eth0/$port" remote=sw-7 "$@" > "$tmp/cameras.out"
}
got() { jq -r 'select(.verb) | .ip // "nothing"' "$tmp/cameras.out" | head -1; }
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
# What dhcpd has on disk: the last record of the lease is reserved, active, and as good as endless
# (0x7ffffff0 is in 2038; dhcpd writes "never" at its next start).
pinned() {
  awk -v ip="$1" '$1 == "lease" { mine = $2 == ip; if (mine) record = "" } mine { record = record $0 "\n" }
    END { printf "%s", record }' "$tmp/leases1" > "$tmp/record"
  grep -qE 'ends (never|[0-9] 2038/)' "$tmp/record" && grep -q '^  binding state active' "$tmp/record" && grep -q reserved "$tmp/record"
}
thief_wants() { asks $thief 9 "ip=$1" tries=1 retry=1s expect=any; [ "$(got)" != "$1" ]; }

lab_init "${1:?test_keeping.sh BUILD}"
lab_net
lab_dhcpd_conf 5
lab_devices << CSV
mac,serial_number
$one,SN-1
$two,SN-2
$three,SN-3
CSV
lab_tap82_conf
lab_dhcpd
lab_tap82
asks $one 1
ip=$(got)
check "provisioned" wait_for 5 handed_over $one
check "an address of the pool is pinned" wait_for 2 pinned "$ip"

# RFC 2131 4.4.6: the camera lets its address go. dhcpd would give it to whoever asks.
cameras --timeout 5s --script - > /dev/null << SIM
default mac=$one relay=10.50.0.1
@0s renew ip=$ip
@500ms release ip=$ip
SIM
check "after its RELEASE the address is pinned again within 5 s" wait_for 5 pinned "$ip"
check "a thief who asks for it by name does not get it" thief_wants "$ip"
asks $one 1
check "the camera gets it again" test "$(got)" = "$ip"

# dhcpd is restarted; then it comes back with the lease file of yesterday.
lab_stop "$dhcpd_pid"
lab_dhcpd
check "the pin outlives a restart of dhcpd" pinned "$ip"
check "so does the host" host_is $one "$ip"
lab_stop "$dhcpd_pid"
: > "$tmp/leases1"
lab_dhcpd
check "a lease file from before: the host is made anew by itself" wait_for 30 host_is $one "$ip"
check "and told to nobody as new" test "$(event_count '.event == "dhcp.reservation_created"')" = 1

# A frozen dhcpd: it takes connections and says nothing.
asks $two 2
second=$(got)
wait_for 5 handed_over $two
kill -STOP "$dhcpd_pid"
sleep 6
kill -CONT "$dhcpd_pid"
asks $three 3
check "a dhcpd that was frozen for six seconds: the work goes on" wait_for 30 handed_over $three
check "nothing was done twice" test "$(event_count ".event == \"dhcp.reservation_created\" and .mac == \"$three\"")" = 1

# Auto-provisioning off stops new reservations, not the keeping of those that exist.
sed -i 's/^\[tap82\]/[tap82]\nauto-provisioning = no/' "$tmp/tap82.ini"
lab_stop "$tap82_pid"
lab_tap82
cameras --timeout 5s --script - > /dev/null << SIM
default mac=$two relay=10.50.0.1
@0s renew ip=$second
@500ms release ip=$second
SIM
check "switched off, a RELEASE is answered all the same" wait_for 5 pinned "$second"
check "and a thief gets nothing" thief_wants "$second"
