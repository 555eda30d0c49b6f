#!/bin/sh
# SPDX-License-Identifier: ISC
# The page in headless Chromium, on records made up by a small API server on 127.0.0.1; and the page of
# replay --report.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

if ! command -v chromium > /dev/null; then
  echo "not ok - the page: chromium is missing: run 'make deps'"
  exit 1
fi
cd "$top" || exit 2
report=$(mktemp --suffix .html)
trap 'rm -f "$report"' EXIT
"$1/tap82" replay -c tests/replay/conf/lab.ini --report "$report" pcaps/scenes/*.pcap > /dev/null
export PYTHONDONTWRITEBYTECODE=1
python3 tests/lab/page_test.py core/page/page.html ${TAP82_PICTURES:+"$TAP82_PICTURES"} &&
  python3 tests/lab/report_test.py "$report" ${TAP82_PICTURES:+"$TAP82_PICTURES"}
