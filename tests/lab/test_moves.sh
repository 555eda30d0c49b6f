#!/bin/sh
# SPDX-License-Identifier: ISC
# Cameras that are carried about, with a real dhcpd: a move, a swap of two cameras, a replacement
# that takes the old one's address.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
got() { jq -r 'select(.verb) | .ip // "nothing"' "$tmp/cameras.out"; }
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
moved() { event_seen ".event == \"camera.moved\" and .mac == \"$1\" and .old.option82.circuit_id_text == \"eth0/$2\" and .option82.circuit_id_text == \"eth0/$3\""; }
device_is() { t82 devices show "$1" --json | jq -e "$2"; }

one=02:00:00:00:00:01 two=02:00:00:00:00:02 three=02:00:00:00:00:03
four=02:00:00:00:00:04 five=02:00:00:00:00:05 six=02:00:00:00:00:06

lab_init "${1:?test_moves.sh BUILD}"
lab_net
lab_range="10.50.0.10 10.50.0.30"
lab_dhcpd_conf 4
lab_devices << CSV
mac,serial_number
$one,SN-1
$two,SN-2
$three,SN-3
$four,SN-4
$five,SN-5
CSV
lab_settings="replacement = takeover
replacement-silence = 3s"
lab_tap82_conf
lab_dhcpd
lab_tap82

asks $one 1
asks $two 2
check "two cameras are provisioned" wait_for 5 sh -c "grep -q 'handoff.*$one' '$tmp/state/events.jsonl' &&
  grep -q 'handoff.*$two' '$tmp/state/events.jsonl'"

asks $one 5
check "a camera on another port: camera.moved with the old port" wait_for 5 moved $one 1 5
check "it keeps its address" test "$(got)" = 10.50.0.10
asks $one 1

# Two cameras change places within a moment: both moved, nobody was replaced.
asks $four 14
asks $five 15
wait_for 5 handed_over $five
asks $four 15
asks $five 14
check "a swap: the first moved" wait_for 5 moved $four 14 15
check "a swap: the second moved" wait_for 5 moved $five 15 14
check "a swap replaces nobody" test "$(event_count '.event == "camera.replaced"')" = 0
check "each keeps its address" device_is $four '.ip == "10.50.0.12"'

# Camera 1 is taken away for good; camera 3 comes up on its port.
sleep 5
asks $three 1
check "a silent camera's port: camera.replaced" \
  wait_for 5 event_seen ".event == \"camera.replaced\" and .mac == \"$three\" and .old.mac == \"$one\""
check "takeover: dhcpd has the old address for the newcomer" wait_for 5 host_is $three 10.50.0.10
check "and no host for the old camera" wait_for 5 host_is_not $one
check "no hand-over before it has had the address" test "$(event_count ".event == \"provision.handoff\" and .mac == \"$three\"")" = 0
asks $three 1
check "asking again it gets the old camera's address" test "$(got)" = 10.50.0.10
check "then the hand-over says that it is a replacement" \
  wait_for 5 event_seen ".event == \"provision.handoff\" and .mac == \"$three\" and .reason == \"replacement\" and .ip == \"10.50.0.10\""
check "the old device is without address" device_is $one '.ip == null'
check "the other camera is as it was" device_is $two '.ip == "10.50.0.11" and .state == "provisioned"'

# The VMS says that camera 6 replaces camera 2: nobody waits for the old one's silence.
announce() {
  curl -sf --max-time 5 --unix-socket "$tmp/state/tap82.sock" -X PUT -H 'Content-Type: application/json' \
    -d "{\"serial_number\": \"SN-6\", \"replaces\": \"$two\"}" "http://localhost/v1/devices/$six"
}
asks $two 2
check "the API takes an announced replacement" announce
asks $six 2
check "announced: replaced at once, though the old one was alive" \
  wait_for 5 event_seen ".event == \"camera.replaced\" and .mac == \"$six\" and .old.mac == \"$two\""
check "dhcpd has its address for the newcomer" wait_for 5 host_is $six 10.50.0.11
asks $six 2
check "which gets it" test "$(got)" = 10.50.0.11
check "and is handed over as a replacement" \
  wait_for 5 event_seen ".event == \"provision.handoff\" and .mac == \"$six\" and .reason == \"replacement\""
