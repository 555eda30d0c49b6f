#!/bin/sh
# SPDX-License-Identifier: ISC
# Vectors: bytes and their meaning, written by hand from the RFCs: test_vectors.sh BUILD
set -u
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")" || exit 2
exec "$build/lab/vectors" ./*.txt
