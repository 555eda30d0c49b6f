#!/bin/sh
# SPDX-License-Identifier: ISC
# The table against a real dhcpd: each finding, its mending, and the healing after a restored backup.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
address_of() { events | jq -r "select(.event == \"provision.handoff\" and .mac == \"$1\") | .ip" | tail -1; }
fails_naming() {
  t82 reconcile 2> "$tmp/err"
  [ $? = 1 ] && grep -q "^tap82: server $1: " "$tmp/err"
}
by_hand() {
  t82 omapi "$@"
}
# finds EXIT JQ-CONDITION [OPTION…]: what reconcile says and how it exits.
finds() {
  want=$1 condition=$2
  shift 2
  t82 reconcile --json --leases "$tmp/leases1" "$@" > "$tmp/findings"
  status=$?
  cat "$tmp/findings"
  [ "$status" -eq "$want" ] || { echo "exit $status, not $want"; return 1; }
  jq -e -s "$condition" "$tmp/findings"
}

lab_init "${1:?test_reconcile.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
02:00:00:00:00:03,SN-3
CSV
lab_tap82_conf
lab_dhcpd_conf
lab_dhcpd
lab_tap82
for n in 1 2 3; do
  asks 02:00:00:00:00:0$n $n
  wait_for 10 handed_over 02:00:00:00:00:0$n || lab_die "camera $n was not provisioned"
done
check "table and dhcpd agree: exit 0, no finding" finds 0 'length == 0'

by_hand delete host hardware-address=02:00:00:00:00:01 > "$tmp/out" 2>&1 || lab_die "$(cat "$tmp/out")"
check "a host is gone: missing" finds 1 'length == 1 and .[0].finding == "missing" and .[0].fixed == false
  and .[0].mac == "02:00:00:00:00:01" and .[0].server == "north"'
check "the dry run changed nothing" host_is_not 02:00:00:00:00:01
check "--fix makes it again: exit 0" finds 0 'length == 1 and .[0].fixed == true' --fix
check "dhcpd holds it" host_is 02:00:00:00:00:01 "$(address_of 02:00:00:00:00:01)"

by_hand update host hardware-address=02:00:00:00:00:02 ip-address=10.50.0.99 > "$tmp/out" 2>&1 ||
  lab_die "$(cat "$tmp/out")"
check "a host has another address: different" finds 1 'length == 1 and .[0].finding == "different"
  and (.[0].detail | test("10.50.0.99"))'
check "--fix mends it" finds 0 '.[0].fixed == true' --fix
check "dhcpd holds it" host_is 02:00:00:00:00:02 "$(address_of 02:00:00:00:00:02)"

by_hand create host name=tap82-0200000000aa hardware-address=02:00:00:00:00:aa hardware-type=1 \
  ip-address=10.50.0.77 > "$tmp/out" 2>&1 || lab_die "$(cat "$tmp/out")"
check "a host of ours without a device: orphaned" finds 1 'length == 1 and .[0].finding == "orphaned"
  and .[0].mac == "02:00:00:00:00:aa"'
check "--fix takes it away" finds 0 '.[0].fixed == true' --fix
check "dhcpd has it no longer" host_is_not 02:00:00:00:00:aa

by_hand delete host hardware-address=02:00:00:00:00:03 > "$tmp/out" 2>&1 || lab_die "$(cat "$tmp/out")"
by_hand create host name=somebodys hardware-address=02:00:00:00:00:03 hardware-type=1 \
  ip-address=10.50.0.88 > "$tmp/out" 2>&1 || lab_die "$(cat "$tmp/out")"
check "somebody else's host: foreign, and none of ours" finds 0 'length == 1 and .[0].finding == "foreign"'
check "--fix leaves it alone" finds 0 '.[0].fixed == false' --fix
check "it stands as it was" host_is 02:00:00:00:00:03 10.50.0.88

# dhcpd comes back with a lease file that knows nothing of us.
lab_stop "$dhcpd_pid"
rm "$tmp/leases1"
lab_dhcpd
check "a restored backup heals by itself" \
  wait_for 40 host_is 02:00:00:00:00:01 "$(address_of 02:00:00:00:00:01)"
metric_is() {
  curl -s --unix-socket "$tmp/state/tap82.sock" http://localhost/metrics | grep -qxE -- "$1"
}
check "a person finds each finding in the log" wait_for 10 grep -qE \
  'tap82: reconcile: server=north finding=missing mac=02:00:00:00:00:01 ip=10.50.0.[0-9]+ fixed=yes: no host' "$tmp/tap82.log"
check "and the sum" wait_for 10 grep -qE 'tap82: reconcile: north: 3 reservations looked at, 3 differed, 3 mended$' "$tmp/tap82.log"
check "also in the metrics" wait_for 5 metric_is \
  'tap82_reconcile_findings_total\{server="north",finding="missing"\} [1-9][0-9]*'
check "what was mended, too" metric_is 'tap82_reconcile_fixed_total\{server="north"\} [1-9][0-9]*'
check "and when" metric_is 'tap82_reconcile_last_timestamp_seconds\{server="north"\} 1[0-9]{9}(\.[0-9]+)?'
status_has() { "$tap82" status -c "$tmp/tap82.ini" --json | jq -e "$1" > "$tmp/out"; }
check "the status has all of it" status_has '.servers[0].reconcile
  | .runs >= 1 and .found >= 3 and .fixed >= 3 and (.time | test("^20"))'
check "who asks for progress is told of it" sh -c "curl -s --unix-socket '$tmp/state/tap82.sock' \
  -X POST 'http://localhost/v1/reconcile?progress=1' | grep -qx '{\"checked\":0,\"of\":3}'"
check "who does not, is not" sh -c "! curl -s --unix-socket '$tmp/state/tap82.sock' \
  -X POST 'http://localhost/v1/reconcile' | grep checked"
on_terminal() { script -qec "$*" /dev/null < /dev/null > "$tmp/tty" 2>&1; }
on_terminal ip netns exec "$server_ns" "$tap82" reconcile -c "$tmp/tap82.ini"
check "reconcile on a terminal says how far it is" grep -aq '0 %, 0 reservations, 0/s: reconcile' "$tmp/tty"
t82 reconcile 2> "$tmp/err" > "$tmp/out"
check "and elsewhere nothing of that" test ! -s "$tmp/err"
lab_stop "$dhcpd_pid"
check "no dhcpd: exit 1, names the server" fails_naming north
exit "$lab_failures"
