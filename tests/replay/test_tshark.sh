#!/bin/sh
# SPDX-License-Identifier: ISC
# Another decoder's view: test_tshark.sh BUILD. Field by field, tap82 and tshark must say the same
# of every message of the captures, except of those listed below, where tshark is wrong.
set -u

build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Why tshark is not asked about a capture; nothing: it is.
excused() {
  case $1 in
  *option82-places*) echo "it does not join an option 82 in several pieces (RFC 3396)" ;;
  *tunnels*) echo "it does not look for TZSP on its port unasked, and mixes the tags of both layers" ;;
  esac
}

ours() {
  "$build/tap82" decode --json "$1" 2> /dev/null | jq -r 'select(.kind == "dhcp") | [
    .xid, ({BOOTREQUEST: "", BOOTREPLY: "", DISCOVER: 1, OFFER: 2, REQUEST: 3, DECLINE: 4, ACK: 5, NAK: 6,
      RELEASE: 7, INFORM: 8, FORCERENEW: 9, LEASEQUERY: 10, LEASEUNASSIGNED: 11, LEASEUNKNOWN: 12,
      LEASEACTIVE: 13}[.type]),
    .mac, .ciaddr, .yiaddr, .siaddr, .giaddr, .src, .dst, .sport, .dport, .hops, .broadcast,
    .server_id, .requested_ip, .lease_time, .hostname, .vendor_class,
    ((.vlans // []) | join(",")), .option82.circuit_id, .option82.remote_id,
    .option82.link_selection] | map(. // "" | tostring) | join("|")'
}

theirs() {
  tshark -r "$1" -o ip.defragment:TRUE -Y dhcp -T fields -E 'separator=|' \
    -e dhcp.id -e dhcp.option.dhcp -e dhcp.hw.mac_addr -e dhcp.ip.client -e dhcp.ip.your \
    -e dhcp.ip.server -e dhcp.ip.relay -e ip.src -e ip.dst -e udp.srcport -e udp.dstport \
    -e dhcp.hops -e dhcp.flags.bc -e dhcp.option.dhcp_server_id \
    -e dhcp.option.requested_ip_address -e dhcp.option.ip_address_lease_time \
    -e dhcp.option.hostname -e dhcp.option.vendor_class_id -e vlan.id \
    -e dhcp.option.agent_information_option.agent_circuit_id \
    -e dhcp.option.agent_information_option.agent_remote_id \
    -e dhcp.option.agent_information_option.link_selection -e ieee8021ad.id 2> /dev/null |
    sed -E 's/^0x//; s/0\.0\.0\.0//g; s/<MISSING>//g' | awk -F '|' -v OFS='|' '
      { sub(/,.*/, "", $3); sub(/.*,/, "", $8); sub(/.*,/, "", $9)
        if ($12 == 0) $12 = ""
        $13 = ($13 == 1 || $13 == "True") ? "true" : ""
        if ($23 != "") $19 = $19 != "" ? $23 "," $19 : $23
        NF = 22; print }'
}

our_radius() {
  "$build/tap82" decode --json "$1" 2> /dev/null | jq -r 'select(.kind == "radius") | [
    ({"Access-Request": 1, "Access-Accept": 2, "Access-Reject": 3, "Accounting-Request": 4,
      "Accounting-Response": 5}[.code]), .id, .user, .nas_ip, .nas_port, .nas_port_id,
    .called_station, .framed_ip, .session_id] | map(. // "" | tostring) | join("|")'
}

their_radius() {
  tshark -r "$1" -Y radius -T fields -E 'separator=|' -e radius.code -e radius.id \
    -e radius.User_Name -e radius.NAS_IP_Address -e radius.NAS_Port -e radius.NAS_Port_Id \
    -e radius.Called_Station_Id -e radius.Framed-IP-Address -e radius.Acct_Session_Id 2> /dev/null
}

# compare OURS THEIRS AT-LEAST WHAT: two lists of messages.
compare() {
  count=$(wc -l < "$1")
  name="tshark says the same of $count $4"
  if [ "$count" -ge "$3" ] && diff "$2" "$1" > "$tmp/diff"; then
    echo "ok - $name"
  else
    echo "not ok - $name"
    head -20 "$tmp/diff"
    failed=1
  fi
}

# One file of all: tshark takes long to start.
set --
for file in pcaps/synthetic/*.pcap pcaps/real/*.pcap pcaps/scenes/*.pcap; do
  [ -n "$(excused "$file")" ] || set -- "$@" "$file"
done
mergecap -a -w "$tmp/all.pcapng" "$@" || exit 2
ours "$tmp/all.pcapng" > "$tmp/ours"
theirs "$tmp/all.pcapng" > "$tmp/theirs"
our_radius "$tmp/all.pcapng" > "$tmp/our_radius"
their_radius "$tmp/all.pcapng" > "$tmp/their_radius"
failed=0
compare "$tmp/ours" "$tmp/theirs" 200 "DHCP messages in $# captures"
compare "$tmp/our_radius" "$tmp/their_radius" 10 "RADIUS messages in $# captures"
exit $failed
