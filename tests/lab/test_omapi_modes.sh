#!/bin/sh
# SPDX-License-Identifier: ISC
# Modes auto, host and pin on the real dhcpd with leases of four seconds: the camera keeps its
# address, and a thief who asks for it (option 50) does not get it.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net
# shellcheck disable=SC2034
lab_range="10.50.0.10 10.50.0.40"

reserve() {
  on_server "$build/lab/reserve" -k "omapi_key:$lab_key_file:hmac-sha256" -w 10 "$@" > "$tmp/answer" 2>&1
  tail -1 "$tmp/answer"
}
# camera VERB N [key=value…]: camera (or thief) number N; the result and the address it got.
camera() {
  lab_verb=$1
  lab_n=$2
  shift 2
  cameras --timeout 5s "$lab_verb" "mac=aa:bb:cc:00:00:$lab_n" relay=10.50.0.1 "circuit=eth0/$lab_n" \
    remote=sw-7 retry=1s tries=2 "$@" | head -1 | jq -r '"\(.result) \(.ip // "-")"'
}
keeps() { [ "$(camera "$@" | tee "$tmp/camera")" = "ack $lab_ip" ] || { cat "$tmp/camera"; false; }; }
# gets_not THIEF IP: it gets another address, not this one.
gets_not() {
  camera dora "$1" "ip=$2" > "$tmp/camera"
  cat "$tmp/camera"
  grep -q '^ack' "$tmp/camera" && ! grep -q " $2\$" "$tmp/camera"
}
gets() { camera dora "$1" "ip=$2" | tee "$tmp/camera" | grep -q "^ack $2\$"; }
keeps_all() { # N IP: through everything that a camera does of its own accord
  lab_ip=$2
  check "$3: renews its address" keeps renew "$1" "ip=$2" transit=yes
  check "$3: gets it after a reboot" keeps reboot "$1" "ip=$2"
  check "$3: gets it when it starts anew" keeps dora "$1"
}

begin() {
  lab_dhcpd_conf 4
  lab_dhcpd
  for row in 01:20 02:21 03:22 04:23; do
    check "camera ${row%:*} gets 10.50.0.${row#*:} from the range" gets "${row%:*}" "10.50.0.${row#*:}"
  done
  reserve ensure aa:bb:cc:00:00:01 10.50.0.20 auto pin > /dev/null
  reserve ensure aa:bb:cc:00:00:02 10.50.0.21 pin pin > /dev/null
  reserve ensure aa:bb:cc:00:00:03 10.50.0.22 host pin > /dev/null
  reserve ensure aa:bb:cc:00:00:04 10.50.0.23 auto pin > /dev/null
  reserve ensure aa:bb:cc:00:00:05 10.50.0.200 auto pin > /dev/null
  keeps_all 01 10.50.0.20 "auto in a range"
  keeps_all 02 10.50.0.21 "pin in a range"
  keeps_all 03 10.50.0.22 "host in a range"
  keeps_all 05 10.50.0.200 "auto outside of the ranges"
}

# Thieves ask by name for every address, then more of them than there are addresses ask for any.
thieves() {
  check "$1: a thief does not get what auto holds" gets_not f1 10.50.0.20
  check "$1: a thief does not get what pin holds" gets_not f2 10.50.0.21
  check "$1: a thief does not get an address outside of the ranges" gets_not f5 10.50.0.200
}

exhausted() {
  cameras --timeout 8s dora mac=aa:bb:cc:01:00:00 count=40 relay=10.50.0.1 retry=1s tries=1 expect=any \
    > "$tmp/flood"
  for last in 20 21 23 200; do
    check "40 clients and 31 addresses: nobody is given 10.50.0.$last" \
      sh -c "! grep -q '\"result\":\"ack\".*\"10.50.0.$last\"' '$tmp/flood'"
  done
}

after_lease_end() {
  sleep 9 # leases of 4 s are over, and dhcpd has put them back
  thieves "after the lease's end"
  check "mode host in a range: the address is given away (why auto pins)" gets f3 10.50.0.22
  exhausted
  for row in 01:20 02:21 04:23 05:200; do
    lab_ip=10.50.0.${row#*:}
    check "after the lease's end camera ${row%:*} gets $lab_ip again" keeps dora "${row%:*}"
  done
}

after_release() {
  sleep 5 # the leases of the crowd are over
  camera release 04 ip=10.50.0.23 transit=yes > /dev/null
  wait_for 2 sh -c "grep -q 'DHCPRELEASE of 10.50.0.23' '$tmp/dhcpd1.log'"
  reserve repin aa:bb:cc:00:00:04 10.50.0.23 > /dev/null
  check "after its RELEASE the lease is pinned again" grep -q '^updated is-pinned' "$tmp/answer"
  check "after its RELEASE and a pin a thief does not get it" gets_not f4 10.50.0.23
  lab_ip=10.50.0.23
  check "after its RELEASE the camera gets it again" keeps dora 04
}

after_restart() {
  lab_stop "$dhcpd_pid" KILL
  sed -i "s/^ping-check .*/ping-check $1;/" "$tmp/dhcpd1.conf"
  lab_dhcpd
  thieves "dhcpd killed and started, ping-check $1"
  for row in 01:20 02:21 05:200; do
    lab_ip=10.50.0.${row#*:}
    check "dhcpd killed and started, ping-check $1: camera ${row%:*} gets $lab_ip" keeps dora "${row%:*}"
  done
}

after_giving_up() {
  reserve release aa:bb:cc:00:00:01 10.50.0.20 > /dev/null
  check "what was released is free for others" gets f6 10.50.0.20
  reserve release aa:bb:cc:00:00:02 10.50.0.21 in-use > /dev/null
  lab_ip=10.50.0.21
  check "released while in use: the camera keeps it for now" keeps renew 02 ip=10.50.0.21 transit=yes
}

# Camera 06 takes the address of camera 04: OMAPI cannot write its MAC into the lease.
after_takeover() {
  reserve release aa:bb:cc:00:00:04 10.50.0.23 > /dev/null
  reserve ensure aa:bb:cc:00:00:06 10.50.0.23 auto pin > /dev/null
  check "an address that is taken over is pinned" grep -q '^created is-pinned' "$tmp/answer"
  reserve ensure aa:bb:cc:00:00:06 10.50.0.23 auto pin > /dev/null
  check "taken over and asked again: unchanged" grep -q '^unchanged is-pinned' "$tmp/answer"
  reserve ensure aa:bb:cc:00:00:07 10.50.0.23 auto pin > /dev/null
  check "taken over: nobody else may reserve it" grep -q '^address-taken' "$tmp/answer"
  lab_ip=10.50.0.23
  check "taken over: the newcomer gets it" keeps dora 06
  check "taken over: a thief does not" gets_not f7 10.50.0.23
  reserve release aa:bb:cc:00:00:06 10.50.0.23 > /dev/null
  check "taken over and released it is free for others" gets f8 10.50.0.23
}

begin
after_lease_end
after_release
after_restart false
after_restart true
after_takeover
after_giving_up
