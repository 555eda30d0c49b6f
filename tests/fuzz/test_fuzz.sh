#!/bin/sh
# SPDX-License-Identifier: ISC
# Every fuzz target, in the check: 60 s each, two at a time, or TAP82_FUZZ_SECONDS.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build/fuzz
targets=$(find "$build/fuzz" -maxdepth 1 -name 'fuzz_*' -perm -u+x ! -name '*.*' | wc -l)
if [ "$targets" -eq 0 ]; then
  echo "not ok - fuzz: no targets in $build/fuzz: run 'make VARIANT=fuzz CC=clang fuzz-bin'"
  exit 1
fi
exec "$top/tests/fuzz/run.sh" "$build" "${TAP82_FUZZ_SECONDS:-60}"
