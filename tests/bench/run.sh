#!/bin/sh
# SPDX-License-Identifier: ISC
# Every bench, one section each: run.sh BUILD [NAME…]
set -u
build=${1:?run.sh BUILD [NAME…]}
shift
top=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$top"/bench_*.sh
failed=0
for bench in "$@"; do
  [ -e "$bench" ] || bench=$top/bench_$bench.sh
  echo "== $(basename "$bench" .sh | sed 's/^bench_//') =="
  "$bench" "$build" || failed=1
  echo
done
exit $failed
