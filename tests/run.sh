#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs suites of tests and counts: run.sh BUILD SUITE…
# A suite is tests/SUITE/: cmocka programs (unit) or scripts test_*.sh that print "ok - …" and
# "not ok - …". `asan` runs unit, vectors and replay again under the sanitizers; `fuzz` is short. The
# lab mostly waits: two of its scripts run at a time, each in namespaces of its own, but for those that
# load the machine.
set -u

build=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
log=$work/log
test_pid="" workers=""
end() {
  # shellcheck disable=SC2086
  [ -z "$test_pid$workers" ] || kill $test_pid $workers 2> /dev/null
  wait
}
trap 'rm -rf "${work:?}"' EXIT
trap 'end; exit 130' INT TERM
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
  timeout "${TAP82_TEST_TIMEOUT:-$limit}" "$@" > "$log" 2>&1 &
  test_pid=$!
  wait "$test_pid"
  status=$?
  test_pid=""
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

# The scripts that nobody has taken yet, one after the other.
worker() {
  log=$work/log.$1 passed=0 failed=0
  trap - EXIT
  trap 'workers=""; end; exit 143' TERM
  for t in "$top"/tests/lab/test_*.sh; do
    is_alone "$t" || ! mkdir "$work/$(basename "$t")" 2> /dev/null ||
      run_one "lab/$(basename "$t" .sh)" "$t" "$build"
  done
  echo "$passed $failed" > "$work/counts.$1"
}
is_alone() {
  case $(basename "$1") in test_overload.sh | test_storm*.sh | test_long_run.sh) return 0 ;; esac
  return 1
}

suite_lab() {
  for k in 1 2; do
    worker $k &
    workers="$workers $!"
  done
  # shellcheck disable=SC2086
  wait $workers
  workers=""
  for k in 1 2; do
    read -r ok bad < "$work/counts.$k" || { ok=0 bad=1; }
    passed=$((passed + ok))
    failed=$((failed + bad))
  done
  for t in "$top"/tests/lab/test_*.sh; do
    ! is_alone "$t" || run_one "lab/$(basename "$t" .sh)" "$t" "$build"
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
  lab) suite_lab ;;
  *) suite_scripts "$build" "$suite" ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
