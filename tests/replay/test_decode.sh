#!/bin/sh
# SPDX-License-Identifier: ISC
# `tap82 decode` on packets of another hand: test_decode.sh BUILD. See decode_test.py.
set -u
build=$(cd "$1" && pwd) || exit 2
exec python3 -B "$(dirname "$0")/decode_test.py" "$build/tap82"
