#!/bin/sh
# SPDX-License-Identifier: ISC
# tap82 omapi against the real dhcpd: every type and operation, words for values, exit codes.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net
lab_dhcpd_conf
echo 'class "models" { match hardware; } subclass "models" 1:aa:bb:cc:00:00:0d { lease limit 3; }' >> "$tmp/dhcpd1.conf"
echo 'class "cameras" { match if substring (option vendor-class-identifier, 0, 3) = "cam"; lease limit 4; }' \
  >> "$tmp/dhcpd1.conf"
lab_dhcpd
echo mac,serial_number | lab_devices
lab_tap82_conf

omapi() { on_server "$tap82" omapi -c "$tmp/tap82.ini" "$@"; }
# gives JQ COMMAND…: the object that is printed.
gives() {
  lab_wish=$1
  shift
  omapi "$@" --json > "$tmp/object" && cat "$tmp/object" && jq -e "$lab_wish" < "$tmp/object"
}
# ends STATUS WORDS COMMAND…: how it ends, and what it says.
ends() {
  lab_status=$1
  lab_words=$2
  shift 2
  omapi "$@" > "$tmp/said" 2>&1
  lab_got=$?
  cat "$tmp/said"
  [ "$lab_got" -eq "$lab_status" ] && { [ -z "$lab_words" ] || grep -q "$lab_words" "$tmp/said"; }
}

m=aa:bb:cc:00:00:09
check "a host is created" gives ".name == \"cam-1\" and .\"hardware-address\" == \"$m\" and .\"hardware-type\" == \"ethernet\"" \
  create host name=cam-1 hardware-address=$m ip-address=10.50.0.77,10.20.0.7 --server north
check "dhcpd's leases file says ethernet, not unknown" grep -q "hardware ethernet $m" "$tmp/leases1"
check "a host is found by its name" gives '."ip-address" == "10.50.0.77,10.20.0.7"' get host name=cam-1
check "a host is found by its MAC" gives '.name == "cam-1"' get host hardware-address=AA-BB-CC-00-00-09
check "a host is changed" gives '."ip-address" == "10.50.0.78"' update host name=cam-1 ip-address=10.50.0.78
check "a host is read again by its handle" gives '.name == "cam-1"' get host "handle=$(omapi get host name=cam-1 --json | jq .handle)"
check "its addresses are cleared" gives '(."ip-address" // "") == ""' update host name=cam-1 ip-address=
check "and set again, with more in one order" gives '."ip-address" == "10.50.0.78"' update host name=cam-1 known=1 ip-address=10.50.0.78
check "a host of a client identifier" gives '."dhcp-client-identifier" == "0102"' create host name=cam-5 dhcp-client-identifier=0102 ip-address=10.50.0.79
check "it is found by that" gives '.name == "cam-5"' get host dhcp-client-identifier=hex:0102
check "the same again is refused by name" ends 1 'already exists (18)' create host name=cam-1 hardware-address=$m
check "the MAC under another name is refused by name" ends 1 'key conflict' create host name=cam-2 hardware-address=$m
check "a host is deleted" ends 0 '' delete host name=cam-1
check "what is gone is 3" ends 3 'tap82: north: host name=cam-1: no such object' delete host name=cam-1
check "an object without keys is 3" ends 3 'no such object' get host
check "a lease has names for its state" gives '.state == "free" and .flags == "none"' get lease ip-address=10.50.0.11
check "a lease is pinned by hand" gives '.state == "active" and .flags == "reserved" and .ends == "never"' \
  update lease ip-address=10.50.0.11 flags=reserved ends=never state=active
check "what dhcpd does not let be set is said" ends 1 'permission denied' update lease ip-address=10.50.0.11 starts=never
check "a pool is read by its handle" gives '."lease-count" == 4' get pool "handle=$(omapi get lease ip-address=10.50.0.11 --json | jq .pool)"
check "a group is created" gives '.name == "g1"' create group name=g1 'statements=option host-name "x";'
check "a group is read" gives '.name == "g1"' get group name=g1
check "a group that is not there is 3" ends 3 'no such object' get group name=g2
check "a host may be in it" ends 0 'cam-3' create host name=cam-3 hardware-address=aa:bb:cc:00:00:0a group=g1
check "a group is deleted" ends 0 '' delete group name=g1
check "a class is read" gives '."lease-limit" == 4' get class name=cameras
check "a subclass is read" gives '."lease-limit" == 3' get subclass name=models hashstring=01aabbcc00000d
check "control is read" gives '.state' get control
check "a lease is found by its client's MAC" gives '."ip-address" == "10.50.0.12" and .state == "active"' get lease \
  "hardware-address=$(cameras --timeout 5s dora mac=aa:bb:cc:00:00:0c relay=10.50.0.1 ip=10.50.0.12 | head -1 | jq -r .mac)"
check "failover that is not there is 3" ends 3 'no such object' get failover-state name=none
check "an unknown type is wrong usage" ends 2 'no such objects' get subnet name=x
check "an unknown verb is wrong usage" ends 2 'not get, create' frob host name=x
check "no key is wrong usage" ends 2 'KEY=VALUE is missing' create host
check "what is no address is wrong usage" ends 2 'no value for ip-address' get lease ip-address=10.50.0
check "an unknown server is wrong usage" ends 2 'no such server' get control --server south
check "what dhcpd could choke on is not sent" ends 1 'longer than dhcpd takes' create host name=x \
  hardware-address=aa:bb:cc:00:00:0b "statements=$(head -c 5000 /dev/zero | tr '\0' ' ')"
chmod 644 "$lab_key_file"
check "a key that all can read is a wrong configuration" ends 2 'must not be readable' get control
chmod 600 "$lab_key_file"
check "dhcpd is told to stop" ends 0 '' update control state=shutdown
check "and stops" wait_for 10 lab_all_gone "$dhcpd_pid"
lab_stop "$dhcpd_pid"
check "dhcpd not there is said" ends 1 'tap82: north: cannot connect: Connection refused' get control
