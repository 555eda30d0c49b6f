#!/bin/sh
# SPDX-License-Identifier: ISC
# The page in headless Chromium, on records made up by a small API server on 127.0.0.1.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

if ! command -v chromium > /dev/null; then
  echo "not ok - the page: chromium is missing: run 'make deps'"
  exit 1
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$top/tests/lab/page_test.py" "$top/core/page/page.html" \
  ${TAP82_PICTURES:+"$TAP82_PICTURES"}
