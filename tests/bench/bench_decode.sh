#!/bin/sh
# SPDX-License-Identifier: ISC
# Decoding a million tagged ACKs of distinct cameras, against a program that only counts packets
# through libpcap, and against others that decode. bench_decode.sh BUILD [ROUNDS]
set -u
build=${1:?bench_decode.sh BUILD}
rounds=${2:-7}
tap82=$build/tap82
bench=$build/bench
shm=/dev/shm
[ -d "$shm" ] || shm=/tmp
tmp=$(mktemp -d "$shm/tap82-decode.XXXXXX")
trap 'rm -rf "${tmp:?}"' EXIT

echo "1 000 000 ACKs, 351 bytes each, in memory; ratios to the floor in the same round, medians of $rounds:"
"$bench/gen_acks" 1000000 "$tmp/acks.pcap"
"$bench/measure" "$rounds" \
  "floor=exec $bench/floor $tmp/acks.pcap" \
  "decode --stats=exec $tap82 decode --stats $tmp/acks.pcap" \
  "decode --json=exec $tap82 decode --json $tmp/acks.pcap"
rm -f "$tmp/acks.pcap"

others="tcpdump -v=exec tcpdump -n -v -r $tmp/few.pcap
tshark -T fields=exec tshark -n -r $tmp/few.pcap -T fields -e dhcp.hw.mac_addr -e dhcp.ip.your -e dhcp.option.agent_information_option.agent_circuit_id
dhcpdump=exec dhcpdump -r $tmp/few.pcap
radsniff=radsniff -I $tmp/few.pcap || true"
count=50000
echo
echo "$count of them, other programs (medians of 3):"
"$bench/gen_acks" $count "$tmp/few.pcap"
set -- "floor=exec $bench/floor $tmp/few.pcap" "decode --stats=exec $tap82 decode --stats $tmp/few.pcap" \
  "decode --json=exec $tap82 decode --json $tmp/few.pcap"
missing=
while IFS= read -r line; do
  program=${line%%[ =]*}
  if command -v "$program" > /dev/null; then
    set -- "$@" "$line"
  else
    missing="$missing $program"
  fi
done << END
$others
END
"$bench/measure" 3 "$@"
[ -z "$missing" ] || echo "not installed, not measured:$missing"
