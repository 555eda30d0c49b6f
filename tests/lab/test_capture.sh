#!/bin/sh
# SPDX-License-Identifier: ISC
# Live captures between two ends of a veth pair: every shape of frame arrives and is decoded as from
# a file, noise is dropped in the kernel, interfaces come and go. test_capture.sh BUILD
# shellcheck disable=SC2154 # build, tmp and tap82 are set by lab_init
. "$(dirname "$0")/lib.sh"
lab_init "${1:-build/release}"
bin=$build/lab

space=t82cap$$
lab_space "$space"
in_space() { ip netns exec "$space" "$@"; }

make_pair() {
  ip -n "$space" link add v0 type veth peer name v1
  ip -n "$space" link set v0 up
  ip -n "$space" link set v1 up
}

# start NAME COMMAND…: in the background, its output in $tmp/NAME.
start() {
  name=$1
  shift
  ip netns exec "$space" "$@" > "$tmp/$name" 2> "$tmp/$name.err" &
  started=$!
  lab_pids="$lab_pids $started"
}

# sniffing NAME ARGUMENT…: a sniffer on v1, open.
sniffing() {
  name=$1
  shift
  start "$name" "$bin/sniff" v1 "$@"
  wait_for 5 grep -q '^status 1' "$tmp/$name"
}

finish() {
  kill "$started" 2> /dev/null
  wait "$started"
}

seen() { grep -c '^dhcp ' "$tmp/$1"; }
has_seen() { [ "$(seen "$1")" -ge "$2" ]; }
# The last counter of that name.
counter() { sed -n "s/^counters .*$2=\([0-9]*\).*/\1/p" "$tmp/$1" | tail -1; }

records() { jq -c -S 'del(.time)' "$1" | sort; }

make_pair
"$bin/gen_shapes" "$tmp/shapes.pcap"
"$bin/gen_shapes" -n "$tmp/noise.pcap"
shapes=$("$tap82" decode --json "$tmp/shapes.pcap" | wc -l)

# ---- live is file ----

live_is_file() {
  start "$1" "$tap82" decode -i "$2" -n "$shapes" --json
  sleep 1
  in_space "$bin/inject" "$3" "$tmp/shapes.pcap" > /dev/null
  wait_for 5 sh -c "[ \"\$(wc -l < $tmp/$1)\" -ge $shapes ]"
  finish
  "$tap82" decode --json "$tmp/shapes.pcap" > "$tmp/file.json"
  records "$tmp/file.json" > "$tmp/file.records"
  records "$tmp/$1" > "$tmp/$1.records"
  cmp "$tmp/file.records" "$tmp/$1.records"
}
check "live and file give the same $shapes records of every shape of frame" live_is_file live v1 v0
in_space ethtool -K v1 rxvlan off > /dev/null 2>&1
in_space ethtool -K v0 txvlan off > /dev/null 2>&1
check "the same with tags left in the bytes by the card" live_is_file bytes v1 v0

# ---- what is wanted passes, the rest is dropped in the kernel ----

sniffing plain 0
in_space "$bin/inject" v0 "$tmp/shapes.pcap" > /dev/null
check "without tunnels the plain, tagged and fragmented ones come" wait_for 5 has_seen plain 16
in_space "$bin/inject" v0 "$tmp/noise.pcap" 20000 1 > /dev/null
sleep 1.2
finish
check "and no others" test "$(seen plain)" -eq 16
# One shape of 27 is too deep for the kernel's filter.
check "of 20000 frames of noise less than one in twenty passes the kernel" \
  test "$(counter plain packets)" -lt 1000

sniffing gre 0 0 gre
in_space "$bin/inject" v0 "$tmp/shapes.pcap" > /dev/null
check "a wanted tunnel is looked into" wait_for 5 has_seen gre 19
finish

sniffing vlan 0 120
in_space "$bin/inject" v0 "$tmp/shapes.pcap" > /dev/null
check "a VLAN is found anywhere in the tags" wait_for 5 has_seen vlan 8
finish
check "and frames without it do not come" test "$(grep '^dhcp ' "$tmp/vlan" | grep -vc 120)" -eq 0

# ---- latency, stopping ----

sniffing idle 0
in_space "$bin/inject" v0 "$tmp/shapes.pcap" 20 1 > /dev/null
sleep 0.2
late=$(sed -n 's/^dhcp .*late=\([0-9]*\).*/\1/p' "$tmp/idle" | sort -n | awk '{a[NR]=$1} END {print a[int((NR + 1) / 2)]}')
check "an idle capture hands a packet over in less than 4 ms (median $late us)" \
  test "${late:-99999}" -lt 4000
before=$(date +%s%N)
finish
took=$((($(date +%s%N) - before) / 1000000))
check "SIGTERM ends an idle sniffer at once ($took ms)" test "$took" -lt 1000
check "and its exit is a clean one" grep -q 'exit=0 signal=0' "$tmp/idle"

# ---- the sniffer is locked in ----

powerless() {
  pid=$(sed -n 's/^pid //p' "$tmp/locked")
  grep -q '^CapEff:	0*$' "/proc/$pid/status" &&
    grep -q '^NoNewPrivs:	1' "/proc/$pid/status" &&
    grep -q '^Seccomp:	2' "/proc/$pid/status" &&
    grep -q "^Uid:	$(id -u nobody)	" "/proc/$pid/status"
}
start locked env SNIFF_USER=nobody "$bin/sniff" v1
wait_for 5 grep -q '^status 1' "$tmp/locked"
check "a sniffer has its user, no capabilities, and a list of system calls" powerless
in_space "$bin/inject" v0 "$tmp/shapes.pcap" > /dev/null
check "and still captures" wait_for 5 has_seen locked 16
finish

# ---- interfaces come and go ----

lost() { grep -q "^status 2 .*$2" "$tmp/$1" && grep -q 'exit=11' "$tmp/$1"; }
refused() { grep -q "^status 2 .*$2" "$tmp/$1" && grep -q 'exit=10' "$tmp/$1"; }

sniffing down 0
ip -n "$space" link set v1 down
check "an interface that goes down ends the sniffer with the reason" wait_for 5 lost down down
start isdown "$bin/sniff" v1
check "one that is down cannot be opened, and it says so" wait_for 5 refused isdown down
ip -n "$space" link set v1 up
sniffing again 0
in_space "$bin/inject" v0 "$tmp/shapes.pcap" > /dev/null
check "up again, it captures again" wait_for 5 has_seen again 16
ip -n "$space" link set v1 down
ip -n "$space" link set v1 name v2
ip -n "$space" link set v2 up
check "a renamed interface ends the sniffer" wait_for 5 lost again 'down\|renamed\|disappeared'
ip -n "$space" link set v2 down
ip -n "$space" link set v2 name v1
ip -n "$space" link set v1 up
sniffing removed 0
ip -n "$space" link del v0
check "a removed interface ends the sniffer" wait_for 5 lost removed 'removed\|down\|disappeared'
start none "$bin/sniff" v1
check "a missing interface cannot be opened, and it says so" \
  wait_for 5 refused none 'v1: cannot be captured: no such interface'
make_pair
start unprivileged setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$bin/sniff" v1
check "no permission to capture is said as such" wait_for 5 refused unprivileged 'no permission'

exit 0
