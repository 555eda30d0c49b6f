#!/bin/sh
# SPDX-License-Identifier: ISC
# The page of a running tap82, in headless Chromium beside it.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
command -v chromium > /dev/null || lab_die "chromium is missing: run 'make deps'"
lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
sed -i "s|^listen .*|listen = $tmp/state/tap82.sock, 127.0.0.1:8082|" "$tmp/tap82.ini"
lab_devices << CSV
mac,serial_number,name
02:82:00:00:50:01,SN1,Gate
02:82:00:00:50:02,SN2,Yard
CSV
lab_tap82
check "a camera gets its address" cameras dora mac=02:82:00:00:50:01 relay=10.50.0.1 circuit=eth0/1 remote=sw1
check "and is handed over" wait_for 10 event_seen '.event == "provision.handoff"'
PYTHONDONTWRITEBYTECODE=1 on_server python3 "$top/tests/lab/page_test.py" http://127.0.0.1:8082/ \
  ${TAP82_PICTURES:+"$TAP82_PICTURES"} || lab_failures=$((lab_failures + 1))
