#!/bin/sh
# SPDX-License-Identifier: ISC
# The device table of a million: reading devices.csv, filling the store, a restart from it; and
# commits a second on a disk against what the disk can sync. Medians of five rounds, each in a
# process of its own; Python's csv module reads the same file for comparison.
#   bench_store.sh BUILD [DEVICES]
set -u
bench=${1:?bench_store.sh BUILD}/bench/store
devices=${2:-1000000}
# On a disk: /tmp may be memory.
tmp=$(mktemp -d /var/tmp/tap82-bench.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
failed=0

# field NAME FILE…: the median of the values behind NAME.
field() {
  name=$1
  shift
  cat "$@" | sed -n "s/.*$name \([0-9.]*\).*/\1/p" | sort -n | sed -n 3p
}
five() {
  what=$1
  for round in 1 2 3 4 5; do "$bench" "$what" "$tmp" "$2" > "$tmp/$what.$round" || exit 1; done
}
# bar WORDS VALUE MOST: what the design asks for.
bar() {
  verdict=ok
  awk "BEGIN { exit !($2 > $3) }" && verdict="MISSED" && failed=1
  printf '%-52s %8s   bar %s: %s\n' "$1" "$2" "$3" "$verdict"
}
figure() { printf '%-52s %8s\n' "$1" "$2"; }

"$bench" rows "$tmp" "$devices" || exit 1
five csv "$devices"
bar "devices.csv, $devices rows: seconds" "$(field seconds "$tmp"/csv.?)" 4
figure "  worst slice of 1000 rows: ms" "$(field worst_slice_ms "$tmp"/csv.?)"
figure "  peak memory: MB" "$(field peak_mb "$tmp"/csv.?)"
for round in 1 2 3 4 5; do
  python3 - "$tmp/devices.csv" > "$tmp/python.$round" << 'PYTHON'
import csv, sys, time
start = time.time()
macs, ips, serials = set(), set(), set()
for row in csv.DictReader(open(sys.argv[1], newline="")):
    macs.add(row["mac"]); ips.add(row["ip"]); serials.add(row["serial_number"])
print("seconds %.3f" % (time.time() - start))
PYTHON
done
figure "  Python's csv, duplicates looked for: seconds" "$(field seconds "$tmp"/python.?)"

"$bench" fill "$tmp" "$devices" > "$tmp/fill" || exit 1
figure "store filled with $devices devices and reservations: seconds" "$(sed 's/.*seconds //' "$tmp/fill")"
figure "  its size: MB" "$(($(stat -c %s "$tmp/bench.db") >> 20))"
five load "$devices"
bar "restart: opened, checked, all devices and reservations restored: seconds" "$(field seconds "$tmp"/load.?)" 4
five commit 300
five fsync 300
figure "commits of a device and an event, a second" "$(field commits_per_second "$tmp"/commit.?)"
figure "  4 KiB appends with fdatasync, a second" "$(field syncs_per_second "$tmp"/fsync.?)"
exit $failed
