#!/bin/sh
# SPDX-License-Identifier: ISC
# Hand-over to a VMS that has faults: at least once, in order, refusals told, also across kill -9.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

vms() {
  ip netns exec "$server_ns" python3 "$top/tests/lab/faulty_vms.py" 8080 "$tmp/vms.jsonl" "$@" &
  vms_pid=$!
  lab_pids="$lab_pids $vms_pid"
  wait_for 5 lab_listens "$server_ns" 8080 || lab_die "the VMS did not start"
}
asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
# got JQ-CONDITION: whether the VMS got a request like that; gots: how many.
got() { jq -e -s "any(.[]; $1)" "$tmp/vms.jsonl" > /dev/null; }
gots() { jq -s "[.[] | select($1)] | length" "$tmp/vms.jsonl"; }
empty_queue() { [ "$(t82 status --json | jq '.webhooks[0].queue')" = 0 ]; }

lab_init "${1:?test_webhook.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
02:00:00:00:00:03,SN-3
02:00:00:00:00:04,SN-4
02:00:00:00:00:05,SN-5
02:00:00:00:00:06,SN-6
02:00:00:00:00:07,SN-7
02:00:00:00:00:08,SN-8
02:00:00:00:00:09,SN-9
CSV
lab_tap82_conf
(umask 077 && echo "s3cret-token" > "$tmp/vms.token")
chown nobody "$tmp/vms.token"
cat >> "$tmp/tap82.ini" << CONF
[webhook vms]
url        = http://127.0.0.1:8080/api/v1/billing/streams
events     = provision.handoff
format     = aipix
token-file = $tmp/vms.token
CONF
lab_dhcpd_conf
lab_dhcpd
touch "$tmp/vms.jsonl"
vms 02:00:00:00:00:02=503:2 02:00:00:00:00:03=422 02:00:00:00:00:04=silent:1 \
  02:00:00:00:00:06=hang:1 02:00:00:00:00:07=400
lab_tap82

asks 02:00:00:00:00:01 1
check "the hand-over is posted" wait_for 10 got '.body.mac == "02:00:00:00:00:01" and .status == 204'
check "as the VMS takes it" got '.path == "/api/v1/billing/streams" and .body.skip_dhcp_reservation == true
  and (.body.ip | startswith("10.50.0.")) and (.body | keys | length) == 3'
check "with the token" got '.token == "Bearer s3cret-token"'
asks 02:00:00:00:00:02 2
asks 02:00:00:00:00:03 3
asks 02:00:00:00:00:04 4
check "503 twice: it is tried until it is taken" \
  wait_for 15 got '.body.mac == "02:00:00:00:00:02" and .status == 204'
check "not more often than needed" test "$(gots '.body.mac == "02:00:00:00:00:02"')" = 3
check "422 is final: webhook.rejected has the VMS's own words" wait_for 5 event_seen \
  '.event == "webhook.rejected" and .mac == "02:00:00:00:00:03" and (.detail | test("The camera is not known"))'
check "the log has one line of it" sh -c "[ \"\$(grep -c '02:00:00:00:00:03.*The camera is not known' '$tmp/tap82.log')\" = 1 ]"
check "a connection that ends without an answer: it is posted again" \
  wait_for 15 got '.body.mac == "02:00:00:00:00:04" and .status == 204'
asks 02:00:00:00:00:07 7
check "400 is final, too: with the VMS's own words" wait_for 10 event_seen \
  '.event == "webhook.rejected" and .mac == "02:00:00:00:00:07"
   and (.detail | test("400: The address is of no network here"))'
asks 02:00:00:00:00:06 6
check "the VMS takes it and never answers" \
  wait_for 10 got '.body.mac == "02:00:00:00:00:06" and .status == 0'
check "it is given up and posted again" \
  wait_for 40 got '.body.mac == "02:00:00:00:00:06" and .status == 204'
check "with a line in the log that says why" grep -q 'webhook vms:.*timed out.*trying again' "$tmp/tap82.log"
check "what got 400 is not posted again" test "$(gots '.body.mac == "02:00:00:00:00:07"')" = 1
check "one that was refused is not posted again" test "$(gots '.body.mac == "02:00:00:00:00:03"')" = 1

# The VMS is away, tap82 is killed: what is owed is in the store.
check "nothing is owed now" wait_for 5 empty_queue
lab_stop "$vms_pid"
asks 02:00:00:00:00:05 5
check "the camera is provisioned while the VMS is away" wait_for 10 event_seen \
  '.event == "provision.handoff" and .mac == "02:00:00:00:00:05"'
lab_stop "$tap82_pid" KILL
vms
lab_tap82
check "after kill -9 it is posted" wait_for 15 got '.body.mac == "02:00:00:00:00:05" and .status == 204'
check "the others are not posted again" test "$(gots '.body.mac == "02:00:00:00:00:01"')" = 1
check "the token is in no log" sh -c "! grep -q s3cret-token '$tmp/tap82.log' '$tmp/state/events.jsonl'"

# One that wants all events of a camera, and answers 503 to the first one of a camera, three times.
camera='.body.mac == "02:00:00:00:00:08"'
crm_taken() { jq -e -s "any(.[]; .status == 204 and $1)" "$tmp/crm.jsonl" > /dev/null; }
crm() { jq -e -s "$1" "$tmp/crm.jsonl"; }
# In the order of the event log, which is the order they happened in.
in_order() {
  jq -r -s ".[] | select(.status == 204 and $camera) | .body.event" "$tmp/crm.jsonl" > "$tmp/taken"
  events | jq -r 'select(.mac == "02:00:00:00:00:08") | .event' > "$tmp/happened"
  [ "$(wc -l < "$tmp/taken")" -ge 2 ] && cmp "$tmp/taken" "$tmp/happened"
}
lab_stop "$tap82_pid"
cat >> "$tmp/tap82.ini" << CONF
[webhook crm]
url    = http://127.0.0.1:8081/events
format = tap82
events = dhcp.ip_allocation, dhcp.reservation_created, streams.hold_started, provision.handoff
CONF
ip netns exec "$server_ns" python3 "$top/tests/lab/faulty_vms.py" 8081 "$tmp/crm.jsonl" \
  02:00:00:00:00:08=503:3 &
lab_pids="$lab_pids $!"
wait_for 5 lab_listens "$server_ns" 8081 || lab_die "the second receiver did not start"
lab_tap82
asks 02:00:00:00:00:08 8
check "an event of a camera gets 503" wait_for 10 crm "any(.[]; .status == 503 and $camera)"
asks 02:00:00:00:00:09 9
check "another camera's events are taken" wait_for 10 crm_taken '.body.mac == "02:00:00:00:00:09"'
check "and did not wait for the first's" crm "(map(.status == 204 and .body.mac == \"02:00:00:00:00:09\")
  | index(true)) as \$other | (map(.status == 204 and $camera) | index(true)) as \$own
  | \$own == null or \$other < \$own"
check "all events of the first are taken, in their order" wait_for 20 in_order
check "what got 503 was tried alone until it was taken" crm \
  "[.[] | select($camera)] | map(.status)[:4] == [503, 503, 503, 204] and (.[:4] | unique_by(.body) | length == 1)"
check "at intervals that grow" crm \
  "[.[] | select($camera)] | (.[1].at - .[0].at) < (.[2].at - .[1].at) and (.[2].at - .[1].at) < (.[3].at - .[2].at)"
exit "$lab_failures"
