#!/bin/sh
# SPDX-License-Identifier: ISC
# Live captures: the same traffic gives the same records as from a file, whoever tagged it: the
# sender in the bytes, the kernel beside them. What is not ours stays in the kernel. `decode -i` and
# its options; the engine's sniffer by VLAN and tunnels. test_live.sh BUILD (root)
# shellcheck disable=SC2154 # set by lab_init
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:?test_live.sh BUILD}"

space=t82live$$
lab_space "$space"
inside() { ip netns exec "$space" "$@"; }
new_wires() {
  ip -n "$space" link add v0 type veth peer name v1
  ip -n "$space" link set v0 up
  ip -n "$space" link set v1 up
  for wire in v0 v1; do lab_offload "$space" $wire; done
}
new_wires
shapes=$tmp/shapes.pcap
"$build/lab/gen_shapes" "$shapes"
"$build/lab/gen_shapes" -n "$tmp/noise.pcap"

# Records without their times, which are the wire's.
records() { "$tap82" decode --json "$1" | jq -cS 'del(.time)'; }
untimed() { jq -cS 'del(.time)' "$1"; }
same() { [ -s "$1" ] && diff "$1" "$2"; }
has_lines() { [ "$(wc -l < "$1")" -ge "$2" ]; }

# listen NAME IFACE OPTION…: decode -i in the background; records go to $tmp/NAME, and a first one
# says that it listens.
listen() {
  name=$1
  shift
  # Not through inside: the pid of a function in the background is a shell's.
  ip netns exec "$space" "$tap82" decode -i "$@" > "$tmp/$name" 2> "$tmp/$name.err" &
  decode_pid=$!
  lab_pids="$lab_pids $decode_pid"
  wait_for 10 listens || lab_die "decode -i $1 does not listen: $(cat "$tmp/$name.err")"
}
# It has its socket, and sleeps until something comes.
listens() {
  [ "$(inside cat /proc/net/packet | wc -l)" -ge 2 ] && grep -q ') S ' "/proc/$decode_pid/stat"
}
# ended: its exit code, when it ends by itself.
ended() {
  wait_for 10 lab_all_gone "$decode_pid" || return 99
  wait "$decode_pid"
}
# finish: SIGINT, as a person ends it; the exit code.
finish() {
  sleep 0.5
  kill -INT "$decode_pid"
  wait "$decode_pid"
}

records "$shapes" > "$tmp/expected"
count=$(wc -l < "$tmp/expected")
check "the file has every shape and a datagram in fragments" test "$count" -ge 28

# ---- the same as from the file ----

# The tags are in the bytes where frames leave v0, and beside them where they come in at v1.
for wire in v0 v1; do
  listen live $wire --json -w "$tmp/live.pcap"
  inside "$build/lab/inject" v0 "$shapes" > /dev/null
  wait_for 10 has_lines "$tmp/live" "$count"
  finish
  check "$wire: SIGINT ends it with 0" test $? -eq 0
  untimed "$tmp/live" > "$tmp/got"
  check "$wire: live and file give the same $count records" same "$tmp/expected" "$tmp/got"
  "$tap82" decode --json "$tmp/live.pcap" > "$tmp/again"
  check "$wire: what -w wrote gives the same records, with their times" same "$tmp/live" "$tmp/again"
done

# All interfaces at once, cooked: each frame is seen at both ends. Of two tags outside of a tunnel the
# kernel tells a cooked socket one.
listen live any --json
inside "$build/lab/inject" v0 "$shapes" > /dev/null
wait_for 10 has_lines "$tmp/live" $((2 * count))
finish
one_tag='select(.damaged | not) | select(.encap or (.vlans | length) < 2)'
jq -cS "del(.time) | $one_tag" "$tmp/live" | sort -u > "$tmp/got"
jq -cS "$one_tag" "$tmp/expected" | sort -u > "$tmp/expected-any"
check "any: the same records as from the file" same "$tmp/expected-any" "$tmp/got"

# ---- what is not ours ----

listen live v1 --stats --json
inside "$build/lab/inject" v0 "$tmp/noise.pcap" 20000 1 > /dev/null
inside "$build/lab/inject" v0 "$shapes" > /dev/null
finish
packets=$(jq .packets "$tmp/live")
check "of 20000 RTP packets in every shape few pass the kernel's filter, with all tunnels wanted ($packets)" \
  test "$packets" -lt 3000
check "and all that is wanted does" test "$(jq .messages "$tmp/live")" -eq "$count"

# sniffer VLAN TUNNEL…: what the engine's sniffer tells of noise and shapes.
sniffer() {
  ip netns exec "$space" "$build/lab/sniff" "$wire" 0 "$@" > "$tmp/sniff" 2>&1 &
  sniff_pid=$!
  lab_pids="$lab_pids $sniff_pid"
  wait_for 10 grep -q '^status 1' "$tmp/sniff" || lab_die "the sniffer does not listen"
  inside "$build/lab/inject" v0 "$tmp/noise.pcap" 20000 1 > /dev/null
  inside "$build/lab/inject" v0 "$shapes" > /dev/null
  sleep 1.5
  kill "$sniff_pid"
  wait "$sniff_pid"
  told=$(sed -n 's/^dhcp=\([0-9]*\) .* bad=0 exit=0 .*/\1/p' "$tmp/sniff")
  passed=$(sed -n 's/^counters packets=\([0-9]*\) .*/\1/p' "$tmp/sniff" | tail -1)
}
wanted() { jq -s "[.[] | select($1)] | length" "$tmp/expected"; }
outer='((.encap // []) - ["llc", "mpls", "pppoe"] == [])'
in_120='((.vlans // []) | index(120) != null)'
two='((.encap == ["vxlan"]) or (.encap == ["gre", "erspan"]))'
# Of 27 shapes the filter lets one pass unseen: what stands in SNAP.
unseen=$((20000 / 27 + 60))
for wire in v0 v1; do
  sniffer 0
  check "$wire: sniffer without tunnels: all that is in none ($told)" test "$told" -eq "$(wanted "$outer")"
  check "$wire: of 20000 RTP packets next to none came up ($passed packets)" test "$passed" -lt $unseen
  sniffer 120
  check "$wire: sniffer of VLAN 120: what has it anywhere in its tags ($told)" \
    test "$told" -eq "$(wanted "$outer and $in_120")"
  check "$wire: and next to nothing else came up ($passed packets)" test "$passed" -lt $unseen
done
sniffer 0 vxlan erspan
check "sniffer with two tunnels: these and no others ($told)" test "$told" -eq "$(wanted "$outer or $two")"
sniffer 120 gre erspan vxlan tzsp ipip
check "sniffer of VLAN 120 with all tunnels ($told)" test "$told" -eq "$(wanted "$in_120")"

# ---- decode -i and its options ----

listen live v1 --json --count 5
inside "$build/lab/inject" v0 "$shapes" > /dev/null
ended
check "--count 5 ends by itself with 0" test $? -eq 0
check "after 5 records, not one more" test "$(wc -l < "$tmp/live")" -eq 5
listen live v1 --json --count 2 --filter ack -w "$tmp/two.pcap"
inside "$build/lab/inject" v0 "$shapes" > /dev/null
ended
"$tap82" decode --json "$tmp/two.pcap" > "$tmp/again"
check "--count with --filter and -w: two frames" same "$tmp/live" "$tmp/again"
listen live v1 --ladder
inside "$build/lab/inject" v0 "$shapes" > /dev/null
finish
check "--ladder: told at the end" grep -q '02:82:00:00:01:00' "$tmp/live"
listen live v1 --json
inside "$build/lab/inject" v0 "$shapes" > /dev/null
wait_for 10 has_lines "$tmp/live" "$count"
check "records are there at once, not at the end" has_lines "$tmp/live" "$count"
kill -TERM "$decode_pid"
ended
check "SIGTERM ends it with 0" test $? -eq 0
inside sh -c "'$tap82' decode -i v1 --json 2> '$tmp/live.err'; echo \$? > '$tmp/code'" | head -1 > "$tmp/live" &
head_pid=$!
lab_pids="$lab_pids $head_pid"
inject_until_gone() {
  inside "$build/lab/inject" v0 "$shapes" > /dev/null
  [ -s "$tmp/code" ]
}
check "a reader that has gone ends it" wait_for 10 inject_until_gone
check "without a complaint" test ! -s "$tmp/live.err"

listen live v1 --json
ip -n "$space" link set v1 down
ended
check "the interface goes down: exit 1" test $? -eq 1
check "and says so" grep -q '^tap82: v1: the capture has ended: the interface is down' "$tmp/live.err"
inside "$tap82" decode -i v1 > /dev/null 2> "$tmp/err"
check "one that is down: exit 1" test $? -eq 1
check "and says why" grep -q '^tap82: v1: cannot be captured: the interface is down' "$tmp/err"
inside "$tap82" decode -i none > /dev/null 2> "$tmp/err"
check "one that is not there: exit 1" test $? -eq 1
check "and says why" grep -q '^tap82: none: cannot be captured: no such interface' "$tmp/err"
cp "$tap82" "$tmp/tap82"
inside setpriv --reuid 65534 --clear-groups "$tmp/tap82" decode -i v0 > /dev/null 2> "$tmp/err"
check "without privilege: exit 1" test $? -eq 1
check "and says what is needed" grep -q '^tap82: v0: cannot be captured: no permission (CAP_NET_RAW' "$tmp/err"
exit "$lab_failures"
