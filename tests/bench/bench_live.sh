#!/bin/sh
# SPDX-License-Identifier: ISC
# A live capture at 100 000 packets/s between namespaces: nine of ten unrelated (RTP), and then all
# of them ACKs, with an engine that stalls for 200 ms each second. What is lost, and the share of a
# processor that the sniffer process takes. bench_live.sh BUILD (root)
# shellcheck disable=SC2154 # build and tmp are set by lab_init
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
lab_init "${1:?bench_live.sh BUILD}"
seconds=5
space=t82live$$
lab_space "$space"
ip -n "$space" link add v0 type veth peer name v1
ip -n "$space" link set v0 up
ip -n "$space" link set v1 up
"$build/bench/gen_acks" 20000 "$tmp/acks.pcap"
"$build/bench/gen_acks" -m 20000 "$tmp/mixed.pcap"

# load TEXT FILE STALL_MS
load() {
  SNIFF_QUIET=1 ip netns exec "$space" "$build/lab/sniff" v1 "$3" > "$tmp/sniff" 2>&1 &
  sniffer=$!
  lab_pids="$lab_pids $sniffer"
  wait_for 5 grep -q '^status 1' "$tmp/sniff"
  sent=$(ip netns exec "$space" "$build/lab/inject" v0 "$2" 100000 $seconds)
  sleep 1.5
  kill "$sniffer"
  wait "$sniffer"
  got=$(sed -n 's/^dhcp=\([0-9]*\).*/\1/p' "$tmp/sniff")
  cpu=$(sed -n 's/.*cpu_ms=\([0-9]*\).*/\1/p' "$tmp/sniff")
  drops=$(sed -n 's/^counters .*drops=\([0-9]*\).*/\1/p' "$tmp/sniff" | tail -1)
  passed=$(sed -n 's/^counters packets=\([0-9]*\).*/\1/p' "$tmp/sniff" | tail -1)
  echo "$1: $sent; $passed passed the kernel, $drops dropped, $got observations, $((cpu / (seconds * 10))) % of a processor"
}
load "90 % RTP" "$tmp/mixed.pcap" 0
load "90 % RTP, engine stalls 200 ms" "$tmp/mixed.pcap" 200
load "all ACKs" "$tmp/acks.pcap" 0
load "all ACKs, engine stalls 200 ms" "$tmp/acks.pcap" 200
