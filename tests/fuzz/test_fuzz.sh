#!/bin/sh
# SPDX-License-Identifier: ISC
# Every fuzz target, in the check: 60 s each, two at a time, or TAP82_FUZZ_SECONDS; with more than
# nine targets the time of each shrinks so that all take less than five minutes.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build/fuzz
targets=$(find "$build/fuzz" -maxdepth 1 -name 'fuzz_*' -perm -u+x ! -name '*.*' | wc -l)
if [ "$targets" -eq 0 ]; then
  echo "not ok - fuzz: no targets in $build/fuzz: run 'make VARIANT=fuzz CC=clang fuzz-bin'"
  exit 1
fi
pairs=$(((targets + 1) / 2))
seconds=$((280 / pairs))
[ "$seconds" -le 60 ] || seconds=60
exec "$top/tests/fuzz/run.sh" "$build" "${TAP82_FUZZ_SECONDS:-$seconds}"
