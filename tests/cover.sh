#!/bin/sh
# SPDX-License-Identifier: ISC
# Line coverage: cover.sh BUILD. Runs unit tests, vectors and replays of a coverage build, as root
# also what the lab has for live captures, and says what share of the lines of sniffer/ and core/
# they ran, by file and by room. The bar is for sniffer/: what parses hostile bytes must have been
# tried. A test that fails here fails it, too.
set -u

build=$1
bar=${TAP82_COVER_BAR:-95}
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2

# The sniffers of the lab are not root when they end: their counters' files are there before them.
empty_counters() {
  find "$build" -name '*.gcno' | sed 's/gcno$/gcda/' | while read -r counters; do
    : > "$counters"
    chmod 666 "$counters"
  done
}

run_tests() {
  tests/run.sh "$build" unit vectors replay || return 1
  [ "$(id -u)" -eq 0 ] || return 0
  for script in tests/lab/test_capture.sh tests/crash/test_sniffer_crash.sh; do
    echo "$script"
    timeout 300 "$script" "$build" || return 1
  done
}

empty_counters
export TAP82_TEST_TIMEOUT=300 # counting makes slow, a busy machine slower
if ! run_tests > "$build/tests.log" 2>&1; then
  grep -E '^(--- |not ok|\[  FAILED|libgcov|[0-9]+ passed)' "$build/tests.log" | tail -20
  echo "cover: tests have failed: see $build/tests.log"
  exit 1
fi
grep -E '^[0-9]+ passed' "$build/tests.log"

# "path lines% of-lines" of every source, from gcov's own summary.
summaries() {
  find "$build/sniffer" "$build/core" -name '*.gcno' | while read -r notes; do
    source=${notes#"$build"/}
    gcov -n -o "$(dirname "$notes")" "${source%.gcno}.c" 2> /dev/null | awk -v file="${source%.gcno}.c" '
      $0 == "File '\''" file "'\''" { getline; sub(/Lines executed:/, ""); sub(/%/, ""); print file, $1, $3 }'
  done
}

summaries | sort > "$build/cover.txt"
awk -v bar="$bar" '
  function name(n) { return n ~ /^sniffer/ ? "sniffer/" : n ~ /^core\/cli/ ? "core/cli/" : n ~ /^core\/omapi/ ? "core/omapi/" : n ~ /^core\/base/ ? "core/base/" : "core/*.c" }
  { printf "%-34s %6.2f %% of %4d lines\n", $1, $2, $3; run[name($1)] += $2 * $3 / 100; all[name($1)] += $3 }
  END {
    print ""
    for (room in all) printf "%-34s %6.2f %% of %4d lines\n", room, 100 * run[room] / all[room], all[room]
    share = all["sniffer/"] ? 100 * run["sniffer/"] / all["sniffer/"] : 0
    if (share < bar) { printf "cover: sniffer/ is below %d %%\n", bar; exit 1 }
  }' "$build/cover.txt"
