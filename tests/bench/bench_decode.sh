#!/bin/sh
# SPDX-License-Identifier: ISC
# Decoding a million tagged ACKs of distinct cameras, against a program that only counts packets
# through libpcap (other decoders: bench_tools.sh). bench_decode.sh BUILD [ROUNDS]
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
