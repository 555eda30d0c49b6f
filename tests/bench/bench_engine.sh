#!/bin/sh
# SPDX-License-Identifier: ISC
# The whole algorithm over a million cameras, against a program that only counts packets of the
# same file: bench_engine.sh BUILD [CAMERAS]
set -u

build=$(cd "${1:?bench_engine.sh BUILD}" && pwd) || exit 2
count=${2:-1000000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

rounds=${ROUNDS:-5}

# What the machine does beside hits all that is measured in one round: ratios are taken round by
# round, and their medians are told.
median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
# took COMMAND…: its processor time in milliseconds.
took() {
  "$build/bench/measure" 1 "it=$*" > "$tmp/took" || exit 1
  awk '$1 == "it" {print $4}' "$tmp/took"
}
replay="$build/tap82 replay -c $tmp/tap82.ini --json"

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

for _ in $(seq "$rounds"); do
  echo "$(took "$build/bench/floor" "$tmp/acks.pcap") $(took "$replay" "$tmp/empty.pcap")" \
    "$(took "$replay" "$tmp/acks.pcap")"
done > "$tmp/replays"
# column EXPRESSION: its median over the rounds; f: floor, l: load, w: whole.
column() { awk '{f = $1 > 0 ? $1 : 1; l = $2; w = $3; printf "%.2f\n", '"$1"'}' "$tmp/replays" | median; }
echo "processor time, medians of $rounds rounds:"
printf 'counting floor, %d ACKs: %.0f ms\n' "$count" "$(column f)"
printf 'inventory of %d devices loaded: %.0f ms (bar: 4000)\n' "$count" "$(column l)"
printf 'replay --json without the load: %.0f ms, %.1f x floor (bar: 25)\n' "$(column w-l)" \
  "$(column '(w-l)/f')"
printf 'replay --json with the load: %.0f ms, %.1f x floor\n' "$(column w)" "$(column w/f)"
for _ in $(seq "$rounds"); do
  for devices in 1000 "$count"; do
    "$build/bench/acks" "$devices" 1000000 > "$tmp/acks.$devices" || exit 1
  done
  awk '/ns an ACK/ {printf "%s ", $1} /bytes a device/ {b = $1} END {print b}' \
    "$tmp/acks.1000" "$tmp/acks.$count"
done > "$tmp/pairs"
printf 'an ACK over 1000 devices: %d ns; over %d: %d ns, %.2f x (bar: 1.3)\n' \
  "$(awk '{print $1}' "$tmp/pairs" | median)" "$count" "$(awk '{print $2}' "$tmp/pairs" | median)" \
  "$(awk '{print $2 / $1}' "$tmp/pairs" | median)"
printf 'memory with %d devices: %d bytes a device (bar: 400)\n' "$count" \
  "$(awk '{print $3}' "$tmp/pairs" | median)"
