#!/bin/sh
# SPDX-License-Identifier: ISC
# tap82 check --online beside a real dhcpd: what is well, what is not, and what to do about it.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2120 # check passes some
doctor() { on_server "$tap82" check --online -c "$tmp/tap82.ini" "$@" > "$tmp/out" 2> "$tmp/err"; }
says() { grep -qF "$1" "$tmp/out"; }
complains() { grep -q "^tap82: $1" "$tmp/err"; }

lab_init "${1:?test_doctor.sh BUILD}"
lab_net
lab_dhcpd_conf
lab_devices << CSV
mac,serial_number,ip
02:00:00:00:00:01,SN-1,
02:00:00:00:00:02,SN-2,10.50.0.11
02:00:00:00:00:03,SN-3,10.50.0.99
CSV
lab_tap82_conf
sed -i 's|subnets = .*|&, 10.60.0.0/24|' "$tmp/tap82.ini"
lab_dhcpd

# A camera asks while the doctor listens.
(sleep 1 && cameras --timeout 5s dora mac=02:00:00:00:00:01 relay=10.50.0.1 circuit=eth0/1 remote=sw) > /dev/null 2>&1 &
check "all is well: exit 0" doctor
wait $!
check "nothing is complained about" test ! -s "$tmp/err"
check "the capture is open" says "✓ capture server: srv0 is open"
check "DHCP with option 82 was seen" says "✓ traffic server: DHCP messages"
check "the relay between is named" says "✓ relay server: between us and the cameras: 10.50.0.1"
check "dhcpd's version, of the process that listens" \
  says "✓ dhcpd north: isc-dhcpd-$(dhcpd --version 2>&1 | sed 's/.*dhcpd-//'), $tmp/dhcpd (pid $dhcpd_pid)"
check "tap82's user can write its places" says "✓ permissions $tmp/state: nobody can write there"
check "the disk has room" says "✓ disk $tmp/state: free: "
check "the clock was looked at" grep -q '^[✓•] clock this host: ' "$tmp/out"
check "the login worked" says "✓ server north: login with key omapi_key (hmac-sha256)"
check "a subnet that dhcpd serves" says "✓ subnet north: [group cameras] 10.20.0.0/16: dhcpd has a range there"
check "a subnet that dhcpd does not know" \
  says "• subnet north: [group cameras] 10.60.0.0/24: no range of dhcpd's was found there"
check "a device's address inside a range, and only that one" \
  says "• range north: devices with an address inside a dynamic range: 1, for one 10.50.0.11"
check "silence is no fault" doctor --seconds 1
check "silence is told" says "• traffic server: DHCP messages 0, with option 82 0"
check "--json: one finding a line" sh -c "ip netns exec '$server_ns' '$tap82' check --online --json \
  --seconds 1 -c '$tmp/tap82.ini' | jq -es 'length > 6 and all(.check and .object and .state and .detail)'"

# A key that dhcpd does not have.
cp "$lab_key_file" "$tmp/good.key"
head -c 32 /dev/urandom | base64 > "$lab_key_file"
doctor --seconds 1
check "a wrong key: exit 1" test $? -eq 1
check "the other findings are there, too" says "• traffic server: DHCP messages 0"
check "names the server, and what" complains "server north: login refused: "
check "and says what to do" says "✗ server north: compare key-name, key-file and key-algorithm"
check "no secret is shown" sh -c "! grep -qF '$(cat "$lab_key_file")' '$tmp/out' '$tmp/err'"
cp "$tmp/good.key" "$lab_key_file"

on_server ip link set srv0 down
doctor
check "an interface that is down: exit 1" test $? -eq 1
check "names the interface" complains "capture server: srv0"
on_server ip link set srv0 up
on_server ip route add 10.0.0.0/8 via 10.99.0.2

# ---- what else can be wrong ----

sed -i 's/^key-algorithm.*/key-algorithm = hmac-md5/' "$tmp/tap82.ini"
doctor --seconds 1
check "another algorithm than dhcpd's key has: exit 1" test $? -eq 1
check "and it is said" complains "server north: "
sed -i 's/^key-algorithm.*/key-algorithm = hmac-sha256/' "$tmp/tap82.ini"

# cameras_ask OPTION…: while the doctor listens; then what it says of the relay.
cameras_ask() {
  (sleep 1 && cameras --timeout 5s dora mac=02:00:00:00:00:01 "$@") > /dev/null 2>&1 &
  lab_asking=$!
  doctor --seconds 4
  wait $lab_asking
}
cameras_ask relay=10.50.0.1
check "a relay that inserts no option 82" \
  says "• relay server: between us and the cameras: 10.50.0.1, without option 82: let it insert option 82"
cameras_ask
check "no relay: cameras are heard as they ask" \
  says "• relay server: none between us and the cameras: they are heard as they ask, without option 82: capture on"
cameras_ask l2=yes circuit=eth0/1 remote=sw
check "a snooping switch, and l2 is missing" \
  says "• relay server: none between us and the cameras: a switch inserts option 82: add l2 to the 'relays'"
sed -i 's/^relays .*/relays = 10.20.0.1/; s/^server-id.*//' "$tmp/tap82.ini"
cameras_ask relay=10.50.0.1 circuit=eth0/1 remote=sw
check "a relay that no group lists" says "• relay server: 10.50.0.1 is in no group's relays"
sed -i 's/^address .*/address = 10.99.0.9/' "$tmp/tap82.ini"
cameras_ask relay=10.50.0.1 circuit=eth0/1 remote=sw
check "a server that no section names" says "• stranger server: 10.99.0.1 answers cameras and is in no [server] section"
check "a dhcpd that is elsewhere: its version is not made up" \
  says "• dhcpd north: version not known: OMAPI does not tell it, and it is not on this host"
check "nobody answers there" complains "server north: unreachable: "
sed -i 's/^address .*/address = 10.99.0.1/' "$tmp/tap82.ini"
lab_stop "$dhcpd_pid"
doctor --seconds 1
check "no dhcpd: exit 1" test $? -eq 1
check "it says that nothing is on its port" says "no process of this host is seen on its port"

# Something that is called dhcpd, listens there, and is not root's alone: it is not run.
mkdir "$tmp/odd"
cp /usr/bin/perl "$tmp/odd/dhcpd"
chown nobody "$tmp/odd/dhcpd"
listen_as() {
  ip netns exec "$server_ns" "$1" -MIO::Socket::INET -e '$s = IO::Socket::INET->new(
    LocalAddr => "10.99.0.1:7911", Listen => 5, ReuseAddr => 1) or die; sleep 60' &
  listener_pid=$!
  lab_pids="$lab_pids $listener_pid"
  wait_for 5 lab_listens "$server_ns" 7911
}
listen_as "$tmp/odd/dhcpd"
doctor --seconds 1
check "a program that others could have changed is not asked" says "which others than root could have changed"
lab_stop "$listener_pid"
listen_as /usr/bin/perl
doctor --seconds 1
check "what is no dhcpd is not asked either" says "perl (pid $listener_pid), which is no dhcpd: a tunnel or proxy?"
lab_stop "$listener_pid"

# Places.
chown root "$tmp/state"
doctor --seconds 1
check "a folder that is not tap82's" complains "permissions $tmp/state: nobody cannot write there"
check "and the mend" says "✗ permissions $tmp/state: chown it"
mkdir "$tmp/small" && mount -t tmpfs -o size=1m,mode=777 tmpfs "$tmp/small" || lab_die "cannot mount"
trap 'umount "$tmp/small" 2> /dev/null; lab_cleanup' EXIT
sed -i "s|^state .*|state = $tmp/small/tap82.db|" "$tmp/tap82.ini"
doctor --seconds 1
check "a disk that is full" complains "disk $tmp/small: free: 1 MB"
sed -i "s|^interface .*|interface = nosuch0|" "$tmp/tap82.ini"
doctor --seconds 1
check "no such interface" complains "capture server: .*nosuch0"
check "and how to find the right one" says "✗ capture server: 'ip link' lists"
on_server setpriv --reuid 65534 --regid 65534 --clear-groups "$tap82" check --online --seconds 1 \
  -c "$tmp/tap82.ini" > "$tmp/out" 2> "$tmp/err"
check "who may not capture hears what that needs" says "✗ capture server: capturing needs root or CAP_NET_RAW"
