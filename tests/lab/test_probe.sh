#!/bin/sh
# SPDX-License-Identifier: ISC
# tap82 probe against a real dhcpd and a real dnsmasq, as a client, in a VLAN, and as a relay.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net 2
rogue_ns=t82s$$-2
ip -n "$relay_ns" addr add 10.20.0.1/16 dev br0
command -v dnsmasq > /dev/null || lab_die "dnsmasq is missing: run 'make deps'"

# dnsmasq_on NAME OPTION…: in the second server's namespace.
dnsmasq_on() {
  lab_leases=$tmp/dnsmasq-$1.leases
  shift
  ip netns exec "$rogue_ns" dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root \
    --bind-interfaces --no-ping --dhcp-authoritative --dhcp-leasefile="$lab_leases" "$@" \
    >> "$tmp/dnsmasq.log" 2>&1 &
  lab_pids="$lab_pids $!"
}

# probe OPTION…: records to $tmp/probe.out, complaints to $tmp/probe.err.
probe() { on_relay "$tap82" probe -i br0 --json "$@" > "$tmp/probe.out" 2> "$tmp/probe.err"; }
answer() { jq -e -s "$1" "$tmp/probe.out"; }
says() { grep -q -- "$1" "$tmp/probe.err"; }
fails_with() {
  wanted=$1
  shift
  "$@" 2> "$tmp/complaint"
  [ $? -eq "$wanted" ]
}

lab_dhcpd_conf 600
sed -i 's/^subnet 10.99.0.0 netmask 255.255.255.0 { }/subnet 10.99.0.0 netmask 255.255.255.0 { range 10.99.0.100 10.99.0.110; }/' \
  "$tmp/dhcpd1.conf"
lab_dhcpd

# ---- one server ----

check "a client is offered an address" probe --timeout 1s
check "by the one server, with lease time and delay" answer \
  'length == 1 and .[0].type == "OFFER" and .[0].server_id == "10.99.0.1" and .[0].lease_time == 600
   and (.[0].yiaddr | startswith("10.99.0.1")) and .[0].delay_ms > 0 and .[0].delay_ms < 1000'
check "without option 82 nothing is said of its echo" answer '.[0] | has("option82_echoed") | not'
check "nothing is complained of" fails_with 1 test -s "$tmp/probe.err"

check "a relay asks by broadcast" probe --timeout 1s --relay 10.20.0.1 --mac 02:82:00:00:01:01 \
  --circuit-id 000400780102 --remote-id switch-7
check "and option 82 comes back byte for byte" answer \
  '.[0].option82_echoed and .[0].option82.raw == "0106000400780102" + "0208" + "7377697463682d37"
   and .[0].mac == "02:82:00:00:01:01" and (.[0].yiaddr | startswith("10.20."))'
check "a relay asks one server by unicast" probe --timeout 1s --relay 10.20.0.1 --server 10.99.0.1 \
  --circuit-id text:0102
check "and text stays text" answer \
  'length == 1 and .[0].option82.raw == "010430313032" and .[0].option82_echoed'
check "asking takes no lease" fails_with 1 grep -q '^lease' "$tmp/leases1"

# ---- taking a lease, and giving it back ----

check "--lease takes the offer" probe --timeout 1s --lease --mac 02:82:00:00:01:02
check "with an ACK of the same address" answer \
  'map(.type) == ["OFFER", "ACK"] and .[0].yiaddr == .[1].yiaddr'
check "and gives it back" wait_for 3 grep -q 'DHCPRELEASE of 10.99.0.* from 02:82:00:00:01:02.*found' \
  "$tmp/dhcpd1.log"
check "as a relay too" probe --timeout 1s --lease --relay 10.20.0.1 --server 10.99.0.1 \
  --mac 02:82:00:00:01:03 --circuit-id 01
check "also given back" wait_for 3 grep -q 'DHCPRELEASE of 10.20.* from 02:82:00:00:01:03.*found' \
  "$tmp/dhcpd1.log"

# ---- a second server ----

dnsmasq_on plain --interface=srv0 --dhcp-range=10.99.0.200,10.99.0.210,300 \
  --dhcp-range=10.20.251.1,10.20.251.50,255.255.0.0,300
sleep 0.5
check "two servers offer" probe --timeout 1s --relay 10.20.0.1 --circuit-id 0102 --remote-id 0304
check "both are listed with what they offer" answer \
  'length == 2 and (map({(.server_id): .lease_time}) | add) == {"10.99.0.1": 600, "10.99.0.3": 300}
   and all(.option82_echoed)'
check "and that there are two is a warning" says 'tap82: br0: 2 servers offer: rogue?'
lab_tap82_conf
check "with a configuration the servers have names" probe -c "$tmp/tap82.ini" --timeout 1s
check "the known one" answer 'map(select(.server_id == "10.99.0.1"))[0].server == "north"'
check "and the stranger is warned of" says 'tap82: br0: 10.99.0.3 offers and is in no \[server\] section: rogue?'
check "alone" test "$(wc -l < "$tmp/probe.err")" -eq 1
on_relay "$tap82" probe -i br0 --timeout 1s > "$tmp/probe.out" 2> "$tmp/probe.err"
check "people get a table" grep -Eq '^OFFER +10.99.0.3 +10.99.0.3 +10.99.0.2.. +5m +[0-9.]+ ms  -$' \
  "$tmp/probe.out"

# ---- in a VLAN ----

ip netns exec "$rogue_ns" python3 "$top/tests/lab/vlan_server.py" srv0 120 10.120.0.1 10.120.0.10 &
lab_pids="$lab_pids $!"
sleep 0.5
check "a tagged frame reaches the VLAN's server alone" probe --timeout 1s --vlan 120
check "whose offer is heard" answer 'map(.server_id) == ["10.120.0.1"]'

# ---- what goes wrong ----

check "nobody answers: exit 1" fails_with 1 probe --timeout 300ms --vlan 121
check "and the reason is said" says 'tap82: br0: no offer within 300ms: no server serves this network'
check "a giaddr that is not ours: exit 1" fails_with 1 probe --timeout 300ms --relay 10.77.0.1
check "and that is the reason" says '10.77.0.1 is no address of this host'
check "no such interface: exit 1" fails_with 1 on_relay "$tap82" probe -i nosuch0
check "no permission: exit 1" fails_with 1 on_relay setpriv --reuid 65534 --regid 65534 --clear-groups \
  "$tap82" probe -i br0
check "and says so" grep -qi 'tap82: br0: .*permi' "$tmp/complaint"
check "a bad VLAN is wrong usage: exit 2" fails_with 2 probe --vlan 5000
check "a bad MAC is wrong usage: exit 2" fails_with 2 probe --mac 02:82
check "a VLAN to one server is wrong usage: exit 2" fails_with 2 probe --vlan 7 --relay 10.20.0.1 \
  --server 10.99.0.1
check "and the way out is named" says "name the VLAN's interface with -i"
check "no interface is wrong usage: exit 2" fails_with 2 on_relay "$tap82" probe
