#!/bin/sh
# SPDX-License-Identifier: ISC
# What other decoders take for the same messages: bench_tools.sh BUILD [PACKETS]
#
# Processor time, the median of three runs, less what the program takes for an empty file, a packet. radsniff sees
# no tagged RADIUS and gets untagged; dhcpdump reads no files and gets an interface (root), its
# processor time is counted. Against the counting floor: bench_decode.sh.
set -u

build=$(cd "${1:?bench_decode.sh BUILD}" && pwd) || exit 2
few=${2:-20000}
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d)
veth=tb$$
trap 'ip link del ${veth}a 2> /dev/null; rm -rf "$tmp"' EXIT

# per_packet NAME N FILE COMMAND…: processor time a packet; {} is the file.
per_packet() {
  what=$1
  n=$2
  file=$3
  shift 3
  "$build/bench/measure" 5 "full=$(echo "$*" | sed "s|{}|$file|g") 2> /dev/null" \
    "empty=$(echo "$*" | sed "s|{}|$tmp/empty.pcap|g") 2> /dev/null" |
    awk -v what="$what" -v n="$n" '/^full/ { f = $4 } /^empty/ { e = $4 }
      END { printf "  %-44s %9.0f ns a packet\n", what, (f > e ? f - e : 0) * 1e6 / n }'
}

# repeated FILE TIMES: its packets, so many times.
repeated() {
  head -c 24 "$1"
  tail -c +25 "$1" > "$tmp/body"
  for _ in $(seq "$2"); do cat "$tmp/body"; done
}

count_of() { "$build/bench/floor" "$1" | tr -dc 0-9; }

"$build/bench/gen_acks" "$few" "$tmp/few.pcap" || exit 1
head -c 24 "$tmp/few.pcap" > "$tmp/empty.pcap"
echo "$few tagged ACKs with option 82:"
per_packet "tap82 decode --json" "$few" "$tmp/few.pcap" "$build/tap82 decode --json {}"
per_packet "tcpdump -v" "$few" "$tmp/few.pcap" "tcpdump -nvr {} 'vlan and udp'"
per_packet "tshark -T fields (6 fields)" "$few" "$tmp/few.pcap" \
  "tshark -n -r {} -T fields -e dhcp.option.dhcp -e dhcp.hw.mac_addr -e dhcp.ip.your -e dhcp.ip.relay -e dhcp.option.agent_information_option.agent_circuit_id -e dhcp.option.agent_information_option.agent_remote_id"

repeated pcaps/scenes/radius-witness.pcap 800 > "$tmp/radius.pcap"
n=$(count_of "$tmp/radius.pcap")
echo "RADIUS between DHCP, $n packets:"
per_packet "tap82 decode --filter radius" "$n" "$tmp/radius.pcap" "$build/tap82 decode --filter radius {}"
per_packet "radsniff -x" "$n" "$tmp/radius.pcap" "{ radsniff -x -I {} || true; }"

# The kernel's clock counts in ticks of 10 ms.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

[ "$(id -u)" -eq 0 ] || exit 0
repeated pcaps/real/real-dhcpd-opt82.pcap 1000 > "$tmp/live.pcap"
n=$(count_of "$tmp/live.pcap")
ip link add "${veth}a" type veth peer name "${veth}b" || exit 1
ip link set "${veth}a" up
ip link set "${veth}b" up
echo "live, $n untagged messages in 6 s (processor time of the tool, with what libpcap takes):"
for tool in "$build/tap82 decode -i ${veth}b" "dhcpdump -i ${veth}b"; do
  # shellcheck disable=SC2086
  $tool > "$tmp/live.out" 2>&1 &
  pid=$!
  sleep 1
  before=$(ticks "$pid")
  "$build/lab/inject" "${veth}a" "$tmp/live.pcap" $((n / 6)) 6 > /dev/null
  sleep 1
  after=$(ticks "$pid")
  kill "$pid"
  wait "$pid" 2> /dev/null
  awk -v t=$((after - before)) -v n="$n" -v what="${tool##*/}" '
    BEGIN { printf "  %-44s %9.0f ns a packet\n", what, t * 1e7 / n }'
done
