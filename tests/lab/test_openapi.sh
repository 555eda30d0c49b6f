#!/bin/sh
# SPDX-License-Identifier: ISC
# The OpenAPI description against the answers of a running tap82, one by one.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
lab_devices << CSV
mac,serial_number,name
02:82:00:00:40:01,SN1,Gate
CSV
lab_tap82
check "a camera gets its address" cameras dora mac=02:82:00:00:40:01 relay=10.50.0.1 circuit=eth0/1 remote=sw1
check "so does a stranger" cameras dora mac=02:82:00:00:40:02 relay=10.50.0.1 circuit=00ff remote=sw1
check "both are known" wait_for 10 event_seen '.event == "device.unknown"'
check "and the camera is handed over" wait_for 10 event_seen '.event == "provision.handoff"'
PYTHONDONTWRITEBYTECODE=1 on_server python3 "$top/tests/lab/openapi_check.py" "$tmp/state/tap82.sock" \
  02:82:00:00:40:01 "$top/core/api.c" || lab_failures=$((lab_failures + 1))
