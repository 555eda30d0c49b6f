#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh BUILD SECONDS [TARGET…]: each fuzz target for SECONDS, two at a time, from its seeds
# (tests/fuzz/seeds/TARGET/) and the corpus that earlier
# runs left in BUILD/corpus/. A finding stays in BUILD/findings/.
set -u

build=$1
seconds=$2
shift 2
top=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$build"/fuzz/fuzz_*

fuzz_one() {
  target=$(basename "$1" | sed 's/^fuzz_//')
  corpus=$build/corpus/$target
  findings=$build/findings/$target
  log=$build/findings/$target.log
  seeds=$top/seeds/$target
  mkdir -p "$corpus" "$findings"
  [ -d "$seeds" ] || seeds=
  max=4096
  [ "$target" = frame ] && max=8192
  if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -max_len=$max -artifact_prefix="$findings/" -print_final_stats=1 \
    "$corpus" ${seeds:+"$seeds"} > "$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "ok - fuzz $target: $runs runs in $seconds s without a finding"
  else
    echo "not ok - fuzz $target: see $log"
    grep -E 'ERROR|SUMMARY|runtime error|BUG' "$log" | head -5
    return 1
  fi
}

# Two at a time, each pair to its end; the log of each is its own.
failed=0
pending=
for path in "$@"; do
  case $path in *.d | *.o | *.dSYM) continue ;; esac
  [ -x "$build/fuzz/$(basename "$path")" ] || path=$build/fuzz/fuzz_$path
  fuzz_one "$path" &
  if [ -z "$pending" ]; then
    pending=$!
    continue
  fi
  last=$!
  wait "$pending" || failed=1
  wait "$last" || failed=1
  pending=
done
if [ -n "$pending" ]; then wait "$pending" || failed=1; fi
exit $failed
