#!/bin/sh
# SPDX-License-Identifier: ISC
# A group with two servers: hosts go to both; one that is away gets its own when it is back.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }
asks() {
  cameras --timeout 10s dora "mac=$1" relay=10.50.0.1 "circuit=eth0/$2" remote=sw-7 > "$tmp/cameras.out"
}
# on SERVER COMMAND…: the question is put to that server.
on() {
  server_ns=t82s$$-$1
  shift
  "$@"
  lab_answer=$?
  server_ns=t82s$$-1
  return $lab_answer
}

lab_init "${1:?test_two_servers.sh BUILD}"
lab_net 2
lab_range="10.50.0.10 10.50.0.30"
lab_dhcpd_conf 600 1
lab_dhcpd_conf 600 2
lab_devices << CSV
mac,serial_number
02:00:00:00:00:01,SN-1
02:00:00:00:00:02,SN-2
CSV
lab_tap82_conf
sed -i 's/^servers = north/servers = north, north-b/' "$tmp/tap82.ini"
cat >> "$tmp/tap82.ini" << CONF

[server north-b]
address       = 10.99.0.3
key-name      = omapi_key
key-file      = $lab_key_file
key-algorithm = hmac-sha256
CONF
lab_dhcpd 1
lab_dhcpd 2
second_pid=$dhcpd_pid
lab_tap82

asks 02:00:00:00:00:01 1
check "provisioned when both servers have it" wait_for 5 handed_over 02:00:00:00:00:01
check "the server that sent the ACK has the host" on 1 host_is 02:00:00:00:00:01 10.50.0.10
check "the other server has it too" on 2 host_is 02:00:00:00:00:01 10.50.0.10

lab_stop "$second_pid"
check "one server away: server.unreachable names it" \
  wait_for 10 event_seen '.event == "server.unreachable" and .server == "north-b"'
asks 02:00:00:00:00:02 2
check "the one that is there gets its host at once" wait_for 5 on 1 host_is 02:00:00:00:00:02 10.50.0.11
check "its camera does not wait for the one that is away" wait_for 5 handed_over 02:00:00:00:00:02
lab_dhcpd 2
check "the other gets its own when it is back" wait_for 40 on 2 host_is 02:00:00:00:00:02 10.50.0.11
check "one hand-over" test "$(event_count '.event == "provision.handoff" and .mac == "02:00:00:00:00:02"')" = 1
