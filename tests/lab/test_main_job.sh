#!/bin/sh
# SPDX-License-Identifier: ISC
# The main job on a real dhcpd: from the ACK on the wire to a reservation that dhcpd holds, and that
# still holds when the lease was due and the pool is empty.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

camera=02:00:00:00:00:01
stranger=02:00:00:00:0b:ad

# port N: where the relay says that a camera is.
asks() {
  mac=$1 port=$2
  shift 2
  cameras --timeout 15s dora "mac=$mac" relay=10.50.0.1 "circuit=sw-7_eth0/$port" \
    remote=hex:00060290fb000001 "$@" > "$tmp/cameras.out"
}
got() { jq -r 'select(.verb) | .ip // "nothing"' "$tmp/cameras.out"; }
nobody_got() { jq -e -s "all(.[]; .ip != \"$1\")" "$tmp/cameras.out"; }
told_in_order() {
  [ "$(events | jq -r "select(.mac == \"$1\") | .event" | head -"$3" | tr '\n' ' ')" = "$2 " ]
}
device_is() { t82 devices show "$1" --json | jq -e "$2"; }
explains() { t82 explain "$1" | grep -q "$2"; }
two_handoffs() { [ "$(event_count '.event == "provision.handoff"')" = 2 ]; }
status_says() { t82 status --json | jq -e "$1"; }

lab_init "${1:?test_main_job.sh BUILD}"
lab_net
lab_dhcpd_conf 6
lab_devices << CSV
mac,serial_number,name
$camera,SN-4711,gate north
02-00-00-00-00-02,SN-4712,gate south
CSV
lab_tap82_conf
lab_dhcpd
lab_tap82

asks "$camera" 1
ip=$(got)
check "the camera gets an address" test "$ip" = 10.50.0.10
check "the hand-over comes" wait_for 5 event_seen ".event == \"provision.handoff\" and .mac == \"$camera\""
check "events come in the order of the algorithm" told_in_order "$camera" \
  "dhcp.ip_allocation dhcp.reservation_created streams.hold_started provision.handoff" 4
check "the title is the VMS's own" event_seen '.title == "DHCP. IP Address Allocation"'
check "events carry option 82, the server, the relay and the device" event_seen \
  ".event == \"provision.handoff\" and .ip == \"$ip\" and .server == \"north\" and .relay == \"10.50.0.1\"
   and .option82.circuit_id_text == \"sw-7_eth0/1\" and .option82.remote_id == \"00060290fb000001\"
   and .device.serial_number == \"SN-4711\" and .group == \"cameras\""
check "dhcpd holds the host" host_is "$camera" "$ip"
check "its name begins with our prefix" sh -c "echo '$(lab_omshell "$camera")' | grep -q 'name = .tap82-'"
check "the device record says where it is" device_is "$camera" \
  ".state == \"provisioned\" and .ip == \"$ip\" and .profile.option82.circuit_id_text == \"sw-7_eth0/1\" and .manual_streams == \"held\""
check "tap82 events shows it" sh -c "'$tap82' events --json --mac $camera -c '$tmp/tap82.ini' | grep -q provision.handoff"
check "tap82 reservations shows it" sh -c "'$tap82' reservations --json -c '$tmp/tap82.ini' | grep -q $camera"
check "status knows the capture and the server" status_says '.captures and .servers'

asks "$stranger" 2
check "a camera in no table is told as unknown" \
  wait_for 5 event_seen ".event == \"device.unknown\" and .mac == \"$stranger\" and .reason == \"unknown-device\""
check "it has no host" host_is_not "$stranger"
check "explain says why" explains "$stranger" unknown-device
check "tap82 unknown lists it" sh -c "'$tap82' unknown --json -c '$tmp/tap82.ini' | grep -q $stranger"

cameras --timeout 5s renew "mac=$camera" "ip=$ip" relay=10.50.0.1 transit=yes > "$tmp/cameras.out"
check "the camera renews past the relay" grep -q '"result":"ack"' "$tmp/cameras.out"
sleep 0.5
check "a renewal is no restart: one hand-over" test "$(event_count ".event == \"provision.handoff\"")" = 1
check "a bare ACK does not change the port" device_is "$camera" '.profile.option82.circuit_id_text == "sw-7_eth0/1"'

# The pool has four addresses. The camera is away until its lease was due; others ask for its
# address by name, then for any.
sleep 7
asks 02:00:00:00:0c:01 9 count=5 "ip=$ip" tries=1 retry=1s expect=any
check "no thief gets the address by name, nor when the pool is empty" nobody_got "$ip"
asks "$camera" 1
check "the camera gets its address after its lease was due" test "$(got)" = "$ip"
check "its restart is handed over again" \
  wait_for 3 two_handoffs
check "nothing was reserved twice" test "$(event_count '.event == "dhcp.reservation_created"')" = 1
