#!/bin/sh
# SPDX-License-Identifier: ISC
# Two real dhcpds as failover peers: hosts on both, the pin on the one that sent the ACK. The camera
# keeps its address when that one dies and its partner serves alone, and a thief does not get it.
# First with the client alone, then with the whole of tap82.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net 2

# peer_conf N ROLE PARTNER MORE: the primary answers everybody (split 255), leases of six seconds.
peer_conf() {
  lab_dhcpd_conf 6 "$1"
  cat > "$tmp/peer" << CONF
failover peer "cams" {
  $2; address 10.99.0.$((2 * $1 - 1)); port 647; peer address 10.99.0.$3; peer port 647;
  max-response-delay 3; max-unacked-updates 10; load balance max seconds 1; $4
}
CONF
  sed 's/ range 10.50.0[^;]*;/ pool { failover peer "cams"; range 10.50.0.10 10.50.0.40; }/
    s/ range 10.20.1[^;]*;//' "$tmp/dhcpd$1.conf" >> "$tmp/peer"
  mv "$tmp/peer" "$tmp/dhcpd$1.conf"
}

key=omapi_key:$lab_key_file:hmac-sha256
reserve() {
  lab_at=$1
  shift
  on_server "$build/lab/reserve" -k "$key" -a "10.99.0.$lab_at" -w 10 "$@" > "$tmp/answer" 2>&1
  tail -1 "$tmp/answer"
}
answers() {
  lab_words=$1
  shift
  reserve "$@" | tee "$tmp/last" | grep -q "^$lab_words" || { cat "$tmp/last"; false; }
}
omapi() {
  lab_at=$1
  shift
  on_server "$tap82" omapi --address "10.99.0.$lab_at" --key-name omapi_key --key-file "$lab_key_file" "$@" --json
}
peer_is() { omapi "$1" get failover-state name=cams | jq -e ".\"local-state\" == \"$2\""; }
lease_is() { omapi "$1" get lease ip-address="$2" | tee "$tmp/last" | jq -e "$3" || { cat "$tmp/last"; false; }; }
camera() {
  lab_n=$1
  shift
  cameras --timeout 8s --server-mac "${lab_mac:-02:82:00:00:00:01}" dora "mac=aa:bb:cc:00:00:$lab_n" relay=10.50.0.1 "circuit=eth0/$lab_n" remote=sw-7 retry=1s \
    tries=4 "$@" | head -1 | jq -r '"\(.result) \(.ip // "-")"'
}

peer_conf 1 primary 3 "mclt 3; split 255;"
peer_conf 2 secondary 1 ""
lab_dhcpd 1
first=$dhcpd_pid
lab_dhcpd 2
wait_for 20 peer_is 1 normal || lab_die "the peers do not come to normal"

ip=$(camera 01 | cut -d' ' -f2)
check "the camera has an address of the shared range ($ip)" test "${ip%.*}" = 10.50.0
check "the peer that sent the ACK pins" answers 'created is-pinned' 1 ensure aa:bb:cc:00:00:01 "$ip" auto pin
check "its partner gets the host only" answers 'created$' 3 ensure aa:bb:cc:00:00:01 "$ip" auto
check "the pin comes to the partner by failover" wait_for 5 lease_is 3 "$ip" '.flags == "reserved" and .state == "active"'
check "asked again nothing changes on either" answers 'unchanged' 1 ensure aa:bb:cc:00:00:01 "$ip" auto pin
check "asked again nothing changes on the partner" answers 'unchanged' 3 ensure aa:bb:cc:00:00:01 "$ip" auto
sleep 10 # the lease of six seconds is over
check "after the lease's end a thief does not get it" test "$(camera f1 "ip=$ip")" != "ack $ip"
check "after the lease's end the camera does" test "$(camera 01)" = "ack $ip"

lab_stop "$first" KILL
check "with one peer dead its reservation is for later" answers 'unreachable' 1 ensure aa:bb:cc:00:00:02 10.50.0.200 auto pin
check "with one peer dead the other takes it" answers 'created' 3 ensure aa:bb:cc:00:00:02 10.50.0.200 auto
omapi 3 update failover-state name=cams local-state=partner-down > /dev/null
check "the partner serves alone" wait_for 5 peer_is 3 partner-down
lab_mac=02:82:00:00:00:03
check "served by the partner the camera keeps its address" test "$(camera 01 server=10.99.0.3)" = "ack $ip"
check "served by the partner a thief does not get it" test "$(camera f2 "ip=$ip" server=10.99.0.3)" != "ack $ip"

lab_mac=
lab_dhcpd 1
check "the peer that was dead takes what it missed" answers 'created' 1 ensure aa:bb:cc:00:00:02 10.50.0.200 auto pin
check "both come back to normal" wait_for 20 peer_is 1 normal
check "back to normal the camera keeps its address" test "$(camera 01)" = "ack $ip"
check "back to normal it is still pinned" lease_is 1 "$ip" '.flags == "reserved" and .state == "active"'
check "released on both" answers 'removed' 1 release aa:bb:cc:00:00:01 "$ip"
check "released on the partner" answers 'removed' 3 release aa:bb:cc:00:00:01 "$ip"

# ---- the whole of it: tap82 run beside the relay, which sees the answers of both ----

provisioned() { event_seen ".event == \"provision.handoff\" and .mac == \"aa:bb:cc:00:00:$1\""; }
host_at() { omapi "$1" get host hardware-address="aa:bb:cc:00:00:$2" | jq -e ".\"ip-address\" == \"$3\" and (.name | startswith(\"tap82-\"))"; }
north_told() { event_count ".event == \"server.$1\" and .server == \"north\""; }
# part_is MAC SERVER STATE
part_is() {
  t82 reservations list --json > "$tmp/parts"
  jq -es "any(.[]; .mac == \"aa:bb:cc:00:00:$1\" and .server == \"$2\" and .state == \"$3\")" "$tmp/parts" || { cat "$tmp/parts"; false; }
}

lab_devices << CSV
mac,serial_number
aa:bb:cc:00:00:0a,SN-A
aa:bb:cc:00:00:0b,SN-B
CSV
lab_tap82_conf
sed -i 's/^interface = srv0/interface = br0/; s/^servers = north/servers = north, north-b/' "$tmp/tap82.ini"
cat >> "$tmp/tap82.ini" << CONF

[server north-b]
address       = 10.99.0.3
key-name      = omapi_key
key-file      = $lab_key_file
key-algorithm = hmac-sha256
CONF
first=$dhcpd_pid
# shellcheck disable=SC2034 # of lib.sh: where tap82 is
server_ns=$relay_ns
lab_tap82
ip=$(camera 0a | cut -d' ' -f2)
check "run: the camera is provisioned" wait_for 10 provisioned 0a
check "run: its host is on the peer that sent the ACK" wait_for 5 host_at 1 0a "$ip"
check "run: and on its partner" wait_for 5 host_at 3 0a "$ip"
check "run: the lease is pinned" wait_for 5 lease_is 1 "$ip" '.flags == "reserved" and .ends == "never"'
check "run: also on the partner, by failover" wait_for 5 lease_is 3 "$ip" '.flags == "reserved" and .state == "active"'

lab_stop "$first" KILL
omapi 3 update failover-state name=cams local-state=partner-down > /dev/null
check "run: the partner serves alone" wait_for 5 peer_is 3 partner-down
check "run: the peer that is away is told" wait_for 10 event_seen '.event == "server.unreachable" and .server == "north"'
lab_mac=02:82:00:00:00:03
check "run: the camera that starts anew keeps its address" test "$(camera 0a server=10.99.0.3)" = "ack $ip"
other=$(camera 0b server=10.99.0.3 | cut -d' ' -f2)
check "run: a new camera gets another one" test "${other%.*}" = 10.50.0 -a "$other" != "$ip"
check "run: it is reserved on the one that is there" wait_for 10 part_is 0b north-b confirmed
check "run: its pin, too" wait_for 5 lease_is 3 "$other" '.flags == "reserved" and .ends == "never"'
check "run: the other part waits" part_is 0b north waiting

lab_mac=
lab_dhcpd 1
check "run: completed when the peer is back" wait_for 40 host_at 1 0b "$other"
check "run: no part waits any more" wait_for 10 part_is 0b north confirmed
check "run: back is told" wait_for 20 event_seen '.event == "server.recovered" and .server == "north"'
check "run: both come back to normal" wait_for 20 peer_is 1 normal
check "run: the pin is on the peer that was dead, too" wait_for 10 lease_is 1 "$other" '.flags == "reserved" and .state == "active"'
check "run: one pair of events" test "$(north_told unreachable) $(north_told recovered)" = "1 1"
check "run: one reservation for each" test "$(event_count '.event == "dhcp.reservation_created"')" = 2
check "run: back to normal the camera keeps its address" test "$(camera 0a)" = "ack $ip"
