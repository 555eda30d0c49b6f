#!/bin/sh
# SPDX-License-Identifier: ISC
# The whole algorithm over a million cameras, against a program that only counts packets of the
# same file: bench_engine.sh BUILD [CAMERAS]
set -u

build=$(cd "${1:?bench_engine.sh BUILD}" && pwd) || exit 2
count=${2:-1000000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# best N COMMAND…: its least wall time of N runs, in milliseconds.
best() {
  runs=$1
  shift
  for _ in $(seq "$runs"); do
    begin=$(date +%s%N)
    "$@" > /dev/null || exit 1
    echo $((($(date +%s%N) - begin) / 1000000))
  done | sort -n | head -1
}

"$build/bench/gen_acks" "$count" "$tmp/acks.pcap" "$tmp/devices.csv" || exit 1
head -c 24 "$tmp/acks.pcap" > "$tmp/empty.pcap"
cat > "$tmp/tap82.ini" << CONF
[tap82]
state   = $tmp/none.db
devices = $tmp/devices.csv
event-log = $tmp/none.jsonl
[capture lab]
interface = none
vlan      = 120
[server north]
address = 10.30.0.2
[group cameras]
subnets = 10.32.0.0/12
relays  = 10.31.0.1
servers = north
CONF

floor=$(best 3 "$build/bench/floor" "$tmp/acks.pcap")
load=$(best 3 "$build/tap82" replay -c "$tmp/tap82.ini" --json "$tmp/empty.pcap")
whole=$(best 3 "$build/tap82" replay -c "$tmp/tap82.ini" --json "$tmp/acks.pcap")
[ "$floor" -gt 0 ] || floor=1
awk -v n="$count" -v f="$floor" -v l="$load" -v w="$whole" 'BEGIN {
  printf "counting floor, %d ACKs: %d ms\n", n, f
  printf "inventory of %d devices loaded: %d ms (bar: 4000)\n", n, l
  printf "replay --json without the load: %d ms, %.1f x floor (bar: 25)\n", w - l, (w - l) / f
  printf "replay --json with the load: %d ms, %.1f x floor\n", w, w / f
}'
"$build/bench/acks" 1000 500000 > "$tmp/few"
"$build/bench/acks" "$count" 500000 > "$tmp/many"
few=$(awk '/ns an ACK/ {print $1}' "$tmp/few")
many=$(awk '/ns an ACK/ {print $1}' "$tmp/many")
awk -v few="$few" -v many="$many" -v n="$count" 'BEGIN {
  printf "an ACK over 1000 devices: %d ns; over %d: %d ns, %.2f x (bar: 1.3)\n", few, n, many, many / few
}'
sed "s/^/memory with $count devices: /; s/\$/ (bar: 400)/" "$tmp/many" | grep 'bytes a device'
