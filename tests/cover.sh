#!/bin/sh
# SPDX-License-Identifier: ISC
# Line coverage: cover.sh BUILD. Runs unit tests, vectors and replays of a coverage build, and says
# what share of the lines of sniffer/ and core/ they ran, by file. The bar is for sniffer/: what
# parses hostile bytes must have been tried.
set -u

build=$1
bar=${TAP82_COVER_BAR:-95}
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2

find "$build" -name '*.gcda' -delete
# Whether tests pass is for `make test` to say: gcov itself cannot work in the sandbox's child.
TAP82_TEST_TIMEOUT=20 tests/run.sh "$build" unit vectors replay > "$build/tests.log" 2>&1
tail -1 "$build/tests.log"

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
