#!/bin/sh
# SPDX-License-Identifier: ISC
# The main job, to be looked at: demo.sh BUILD. A real dhcpd, a relay that inserts option 82, cameras
# and `tap82 run`, in namespaces of their own. Exit 0 only if everything shown was verified.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

camera=02:00:00:00:00:01
stranger=02:00:00:00:0b:ad
lease=6

# ---- how it looks ----

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$(printf '\033[1m') dim=$(printf '\033[2m') green=$(printf '\033[32m')
  red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
  bold="" dim="" green="" red="" plain=""
fi
step=0

section() {
  step=$((step + 1))
  printf '\n%s%d  %s%s\n' "$bold" "$step" "$1" "$plain"
}
say() { printf '   %s\n' "$*"; }
# Output of a program, as it is: long lines are folded.
show() { fold -s -w 100 | sed "s/^/   $dim│$plain /"; }
command_line() { printf '   %s$ %s%s\n' "$dim" "$*" "$plain"; }

# verify WORDS COMMAND…: what is claimed is asked.
verify() {
  words=$1
  shift
  if "$@" > "$tmp/verify.out" 2>&1; then
    printf '   %s✓%s %s\n' "$green" "$plain" "$words"
  else
    printf '   %s✗ %s%s\n' "$red" "$words" "$plain"
    show < "$tmp/verify.out"
    lab_show
    lab_failures=$((lab_failures + 1))
  fi
}

# ---- what is asked ----

camera_got() { jq -e -s "any(.[]; .result == \"ack\" and .ip == \"$1\")" "$tmp/cameras.out"; }
ack_decoded() {
  jq -e -s "any(.[]; .type == \"ACK\" and .mac == \"$camera\" and .option82.circuit_id_text == \"sw-7_eth0/1\"
    and .option82.remote_id == \"00060290fb000001\")" "$tmp/decode.out"
}
camera_was_provisioned() { event_seen ".event == \"provision.handoff\" and .mac == \"$camera\""; }

# The camera asks through the relay, which adds the port (circuit-id) and itself (remote-id).
camera_asks() {
  cameras --timeout 10s dora mac="$1" relay=10.50.0.1 hostname=camera \
    circuit="sw-7_eth0/$2" remote=hex:00060290fb000001 "expect=$3" > "$tmp/cameras.out"
}

set_up() {
  lab_range="10.50.0.10 10.50.0.12"
  lab_net
  lab_dhcpd_conf "$lease"
  lab_devices << CSV
mac,serial_number,name
$camera,SN-4711,gate north
CSV
  lab_tap82_conf
  lab_dhcpd
  lab_tap82
  on_server "$tap82" decode -i srv0 --filter ack --json > "$tmp/decode.out" 2> "$tmp/decode.err" &
  lab_pids="$lab_pids $!"
  sleep 0.5
}

scene_place() {
  section "A camera network, for half a minute"
  say "server namespace   $("$tmp/dhcpd" --version 2>&1), OMAPI signed with hmac-sha256"
  say "                   pool 10.50.0.10–12, leases of $lease seconds; tap82 run beside it"
  say "relay namespace    a relay at 10.50.0.1 that inserts option 82; cameras behind it"
  verify "dhcpd answers on its OMAPI port" lab_listens "$server_ns" 7911
  verify "tap82 is up: its API answers" lab_healthy
}

scene_camera() {
  section "A camera of the inventory comes up: «gate north», $camera"
  camera_asks "$camera" 1 ack
  ip=$(jq -r 'select(.verb == "dora") | .ip' "$tmp/cameras.out")
  say "It gets $ip; the relay says: port «sw-7_eth0/1» of switch 02:90:fb:00:00:01."
  wait_for 3 ack_decoded
  command_line "tap82 decode -i srv0 --filter ack --json"
  jq -c "select(.mac == \"$camera\") | {time, type, mac, yiaddr, giaddr, server_id}, {option82}" "$tmp/decode.out" |
    head -2 | show
  verify "the ACK was seen on the wire, with circuit-id and remote-id" ack_decoded
}

scene_decision() {
  section "What tap82 makes of it"
  wait_for 5 camera_was_provisioned
  command_line "tap82 events --mac $camera"
  t82 events --mac "$camera" 2>&1 | show
  verify "«DHCP. IP Address Allocation» was told" \
    event_seen ".event == \"dhcp.ip_allocation\" and .title == \"DHCP. IP Address Allocation\" and .mac == \"$camera\""
  verify "the reservation was made and the camera handed over" camera_was_provisioned
  verify "manual streams are held for five minutes" \
    event_seen ".event == \"streams.hold_started\" and .mac == \"$camera\""
}

scene_dhcpd() {
  section "dhcpd's own word, asked with omshell"
  command_line "omshell … new host; set hardware-address = $camera; open"
  lab_omshell "$camera" | awk '/obj: host/ { last = "" } { last = last $0 "\n" } END { printf "%s", last }' |
    sed 's/^> //; /^$/d' | show
  say "(ip-address in hex: $(echo "$ip" | tr . '\n' | xargs printf '%02x:' | sed 's/:$//'))"
  verify "dhcpd holds a host for $camera with $ip" host_is "$camera" "$ip"
}

scene_stranger() {
  section "A camera that nobody knows: $stranger"
  camera_asks "$stranger" 2 ack
  wait_for 3 event_seen ".event == \"device.unknown\" and .mac == \"$stranger\""
  say "It gets a lease ($(jq -r 'select(.verb == "dora") | .ip' "$tmp/cameras.out")), as dhcpd gives one to anybody. And from tap82?"
  command_line "tap82 explain $stranger"
  t82 explain "$stranger" > "$tmp/explain.out" 2>&1
  show < "$tmp/explain.out"
  verify "it is reported: reason «unknown-device»" \
    event_seen ".event == \"device.unknown\" and .reason == \"unknown-device\" and .mac == \"$stranger\""
  verify "it has no host in dhcpd" host_is_not "$stranger"
}

# The pool has three addresses: other clients take what there is while the camera is away.
scene_lease_end() {
  section "The camera is away until its lease was due, and the pool runs dry"
  due=$((lease + 2))
  if [ -t 1 ]; then
    for s in $(seq "$due" -1 1); do
      printf '\r   %s… %2d s%s ' "$dim" "$s" "$plain"
      sleep 1
    done
    printf '\r            \r'
  else
    sleep "$due"
  fi
  cameras --timeout 12s dora mac=02:00:00:00:0c:01 count=4 relay=10.50.0.1 circuit=sw-7_eth0/%d \
    remote=thief "ip=$ip" tries=1 retry=1s expect=any > "$tmp/thieves.out"
  say "Four others asked for $ip by name; what they got: $(jq -r 'select(.verb) | .ip // "nothing"' "$tmp/thieves.out" | tr '\n' ' ')"
  verify "none of them got $ip" jq -e -s "all(.[]; .ip != \"$ip\")" "$tmp/thieves.out"
  camera_asks "$camera" 1 ack
  verify "«gate north» comes back and gets $ip again" camera_got "$ip"
}

lab_init "${1:?demo.sh BUILD}"
printf '%stap82: from a DHCPACK on the wire to a reservation in dhcpd%s\n' "$bold" "$plain"
set_up
scene_place
scene_camera
scene_decision
scene_dhcpd
scene_stranger
scene_lease_end
echo
if [ "$lab_failures" -eq 0 ]; then
  printf '%s%sAll of it was verified.%s\n' "$bold" "$green" "$plain"
else
  printf '%s%s%d of it could not be verified.%s\n' "$bold" "$red" "$lab_failures" "$plain"
fi
