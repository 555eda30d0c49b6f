#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs suites of tests and counts: run.sh BUILD SUITE…
# A suite is tests/SUITE/: cmocka programs (unit) or scripts test_*.sh that print "ok - …" and
# "not ok - …". `asan` runs unit, vectors and replay again under the sanitizers; `fuzz` is short.
set -u

build=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
limit=600 # seconds a test
if [ -n "${TAP82_SOAK:-}" ]; then limit=14400; fi

# One test program or script: shows what it says when it fails, adds up what it counted.
run_one() {
  name=$1
  shift
  : > "$log"
  began=$(date +%s)
  timeout "${TAP82_TEST_TIMEOUT:-$limit}" "$@" > "$log" 2>&1
  status=$?
  ok=$(grep -cE '^(\[ +OK \]|ok - )|^\[       OK \]' "$log")
  bad=$(grep -cE '^not ok - |^\[  FAILED  \] [a-zA-Z_0-9]+$' "$log")
  if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ $status -eq 0 ] && [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
  if [ "$bad" -gt 0 ]; then
    echo "--- $name: $bad failed (exit $status)"
    cat "$log"
  else
    grep -E '^(\[==========\]|\[  PASSED  \])' "$log" | tail -1 | sed "s|^|$name: |"
    grep -qE '^\[  PASSED  \]' "$log" || echo "$name: $ok ok, $(($(date +%s) - began)) s"
  fi
}

suite_unit() {
  for t in "$1"/unit/test_*; do
    case $t in *.d | *.o) continue ;; esac
    [ -x "$t" ] && run_one "${2:-}unit/$(basename "$t")" "$t"
  done
}

suite_scripts() {
  for t in "$top/tests/$2"/test_*.sh; do
    [ -e "$t" ] && run_one "${3:-}$2/$(basename "$t" .sh)" "$t" "$1"
  done
}

cd "$top" || exit 2
for suite in "$@"; do
  case $suite in
  unit) suite_unit "$build" ;;
  asan)
    suite_unit build/asan asan/
    suite_scripts build/asan vectors asan/
    suite_scripts build/asan replay asan/
    ;;
  *) suite_scripts "$build" "$suite" ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
