# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# The lab: namespaces of its own, a real dhcpd with OMAPI, a relay, cameras, tap82 beside dhcpd.
#
#   server namespace(s)            relay namespace
#   10.99.0.1  srv0 ───────┐
#   10.99.0.3  srv0 ───────┴── br0 10.99.0.2, giaddr 10.50.0.1, 10.20.0.1 …; camsim
#
# Usage: . tests/lab/lib.sh; lab_init BUILD; lab_net [SERVERS]; lab_dhcpd_conf; lab_dhcpd; …
# Everything that is started or made here is gone at exit, also on failure and on Ctrl-C. Names
# carry the shell's pid. Results are lines "ok - name" and "not ok - name: why".

lab_failures=0
lab_pids=""
lab_spaces=""
lab_mounts="" # taken down at the end, too

lab_init() {
  build=$(cd "$1" && pwd) || exit 2
  # shellcheck disable=SC2034 # for those who include this
  top=$(cd "$(dirname "$0")/../.." && pwd)
  if [ "$(id -u)" -ne 0 ]; then
    echo "not ok - the lab: needs root for namespaces and packets"
    exit 1
  fi
  for program in ip dhcpd omshell jq ethtool; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null && continue
    echo "not ok - the lab: $program is missing: run 'make deps'"
    exit 1
  done
  PATH=$PATH:/usr/sbin:/sbin
  trap lab_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  # lab_place=/dev/shm: a disk that costs nothing, where the test is not about the disk.
  tmp=$(mktemp -d "${lab_place:-/tmp}/tap82-lab-$$.XXXXXX")
  chmod 755 "$tmp"
  # A profile of AppArmor goes by the path: ours may read its configuration anywhere.
  cp "$(command -v dhcpd)" "$tmp/dhcpd"
  camsim=$build/lab/camsim
  tap82=$build/tap82
  lab_key=$(head -c 32 /dev/urandom | base64)
  lab_key_file=$tmp/omapi.key
  (umask 077 && echo "$lab_key" > "$lab_key_file")
  mkdir "$tmp/state"
  chown nobody "$tmp/state" "$lab_key_file"
}

lab_cleanup() {
  status=$?
  trap '' INT TERM HUP
  for pid in $lab_pids; do kill "$pid" 2> /dev/null; done
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    lab_any_alive || break
    sleep 0.1
  done
  for pid in $lab_pids; do kill -KILL "$pid" 2> /dev/null; done
  for space in $lab_spaces; do
    for pid in $(ip netns pids "$space" 2> /dev/null); do kill -KILL "$pid" 2> /dev/null; done
    ip netns del "$space" 2> /dev/null
  done
  for place in $lab_mounts; do umount -l "$place" 2> /dev/null; done
  if [ -n "${LAB_KEEP:-}" ]; then echo "kept: $tmp"; else rm -rf --one-file-system "${tmp:?}"; fi
  [ "$status" -eq 0 ] && [ "$lab_failures" -gt 0 ] && status=1
  exit "$status"
}

lab_any_alive() {
  for pid in $lab_pids; do
    kill -0 "$pid" 2> /dev/null && return 0
  done
  return 1
}

# ---- results ----

ok() { echo "ok - $1"; }

# not_ok NAME WHY: goes on; the exit status is 1 in the end.
not_ok() {
  echo "not ok - $1: $2"
  lab_failures=$((lab_failures + 1))
}

# check NAME COMMAND…: one assertion.
check() {
  lab_check_name=$1
  shift
  if "$@" > "$tmp/check.out" 2>&1; then
    ok "$lab_check_name"
  else
    not_ok "$lab_check_name" "$(echo "$*" | cut -c1-160): $(tail -3 "$tmp/check.out" | tr '\n' ' ')"
    lab_show
  fi
}

# What a person needs to see when an assertion failed.
lab_show() {
  for log in "$tmp"/tap82.log "$tmp"/dhcpd*.log; do
    [ -s "$log" ] && sed "s|^|    $(basename "$log"): |" "$log" | tail -5
  done
}

# lab_die WHY: nothing that follows would make sense.
lab_die() {
  not_ok "the lab" "$1"
  lab_show
  exit 1
}

# wait_for SECONDS COMMAND…: until it succeeds, asked 20 times a second.
wait_for() {
  lab_tries=$(($1 * 20))
  shift
  while ! "$@" > /dev/null 2>&1; do
    lab_tries=$((lab_tries - 1))
    [ "$lab_tries" -gt 0 ] || return 1
    sleep 0.05
  done
}

# ---- network ----

# lab_net [N]: N server namespaces (1) on one segment with the relay.
lab_net() {
  relay_ns=t82r$$
  lab_space "$relay_ns"
  ip -n "$relay_ns" link add br0 type bridge forward_delay 0
  ip -n "$relay_ns" link set br0 address 02:82:00:00:00:02
  ip -n "$relay_ns" addr add 10.99.0.2/24 dev br0
  ip -n "$relay_ns" link set br0 up
  lab_offload "$relay_ns" br0
  for n in $(seq 1 "${1:-1}"); do lab_server_space "$n"; done
  server_ns=t82s$$-1
}

lab_space() {
  ip netns add "$1" || lab_die "cannot make a namespace"
  lab_spaces="$lab_spaces $1"
  ip -n "$1" link set lo up
  ip netns exec "$1" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null
}

# dhcpd sends through the kernel: without this its checksums would be left for a card to fill in.
lab_offload() {
  ip netns exec "$1" ethtool -K "$2" tx off rx off gso off gro off > /dev/null 2>&1
}

# Server n: 10.99.0.1, .3, .5 … with the MAC 02:82:00:00:00:NN.
lab_server_space() {
  lab_n=$((2 * $1 - 1))
  lab_ns=t82s$$-$1
  lab_space "$lab_ns"
  ip -n "$lab_ns" link add srv0 address "02:82:00:00:00:$(printf %02x $lab_n)" type veth \
    peer name "p$1" netns "$relay_ns"
  ip -n "$relay_ns" link set "p$1" master br0 up
  ip -n "$lab_ns" addr add "10.99.0.$lab_n/24" dev srv0
  ip -n "$lab_ns" link set srv0 up
  ip -n "$lab_ns" route add 10.0.0.0/8 via 10.99.0.2
  lab_offload "$lab_ns" srv0
  lab_offload "$relay_ns" "p$1"
}

on_server() { ip netns exec "$server_ns" "$@"; }
on_relay() { ip netns exec "$relay_ns" "$@"; }

# cameras VERB key=value…, or options and --script: on the wire, JSON lines to stdout.
cameras() { on_relay "$camsim" --iface br0 "$@"; }

# ---- dhcpd ----

# lab_dhcpd_conf [LEASE] [N]: the configuration of server n: two camera subnets, a short lease.
lab_dhcpd_conf() {
  cat > "$tmp/dhcpd${2:-1}.conf" << CONF
omapi-port 7911;
key omapi_key { algorithm ${lab_algorithm:-hmac-sha256}; secret "$lab_key"; };
omapi-key omapi_key;
authoritative;
ping-check false;
default-lease-time ${1:-600};
max-lease-time ${1:-600};
min-lease-time 1;
subnet 10.99.0.0 netmask 255.255.255.0 { }
subnet 10.50.0.0 netmask 255.255.255.0 { range ${lab_range:-10.50.0.10 10.50.0.13}; option routers 10.50.0.1; }
subnet 10.20.0.0 netmask 255.255.0.0 { range 10.20.1.0 10.20.250.255; option routers 10.20.0.1; }
CONF
}

# lab_dhcpd [N]: starts dhcpd n and waits for OMAPI to answer. lab_leases: the folder of its leases
# file ($tmp); lab_wrap: what it is started through (faketime).
lab_dhcpd() {
  lab_dhcpd_silent "${1:-1}"
  wait_for 5 lab_listens "$lab_ns" 7911 || lab_die "dhcpd did not start"
}

# The same without a wait: for a dhcpd that has no OMAPI.
lab_dhcpd_silent() {
  lab_n=${1:-1}
  lab_ns=t82s$$-$lab_n
  touch "${lab_leases:-$tmp}/leases$lab_n"
  # shellcheck disable=SC2086 # words
  ip netns exec "$lab_ns" ${lab_wrap:-} "$tmp/dhcpd" -4 -f -d --no-pid -cf "$tmp/dhcpd$lab_n.conf" \
    -lf "${lab_leases:-$tmp}/leases$lab_n" srv0 >> "$tmp/dhcpd$lab_n.log" 2>&1 &
  dhcpd_pid=$!
  lab_pids="$lab_pids $dhcpd_pid"
}

lab_listens() {
  ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q LISTEN
}

# lab_stop PID [SIGNAL]: ends one process of ours and waits for it.
lab_stop() {
  kill "-${2:-TERM}" "$1" 2> /dev/null
  wait "$1" 2> /dev/null
  return 0
}

# lab_omshell MAC: what dhcpd itself says of a host.
lab_omshell() {
  on_server omshell << OMSHELL 2>&1
server 127.0.0.1
port 7911
key-algorithm hmac-sha256
key omapi_key $lab_key
connect
new host
set hardware-address = $1
set hardware-type = 1
open
OMSHELL
}

# host_is MAC IP / host_is_not MAC, asked of dhcpd.
host_is() {
  lab_omshell "$1" | grep -qi "ip-address = $(echo "$2" | tr . ' ' |
    { read -r a b c d && printf '%02x:%02x:%02x:%02x' "$a" "$b" "$c" "$d"; })"
}
host_is_not() { lab_omshell "$1" | grep -q 'not found\|no object matches'; }

# ---- tap82 ----

# lab_hooks: takes a build with test hooks (TAP82_TEST_HOOKS), and makes one where there is none.
lab_hooks() {
  for candidate in "$tap82" "$top/build/hooks/tap82" "$top/build/asan/tap82"; do
    grep -qs TAP82_FAILPOINT "$candidate" && tap82=$candidate && return
  done
  make -s -C "$top" VARIANT=hooks build/hooks/tap82 > /dev/null || lab_die "no test build"
  tap82=$top/build/hooks/tap82
}

# lab_tap82_conf: a configuration for the lab; more sections can be appended to the file.
lab_tap82_conf() {
  cat > "$tmp/tap82.ini" << CONF
[tap82]
state           = $tmp/state/tap82.db
devices         = $tmp/devices.csv
listen          = $tmp/state/tap82.sock
event-log       = $tmp/state/events.jsonl
user            = nobody
${lab_settings:-}

[capture server]
interface = srv0

[server north]
address       = 10.99.0.1
key-name      = omapi_key
key-file      = $lab_key_file
key-algorithm = hmac-sha256

[group cameras]
subnets = 10.50.0.0/24, 10.20.0.0/16
relays  = 10.50.0.1, 10.20.0.1
servers = north
CONF
}

# lab_devices: stdin is devices.csv.
lab_devices() { cat > "$tmp/devices.csv"; }

# lab_tap82: starts `tap82 run` beside dhcpd and waits until it answers.
lab_tap82() {
  # Not through on_server: the pid of a function in the background is a shell's.
  ip netns exec "$server_ns" "$tap82" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 &
  tap82_pid=$!
  lab_pids="$lab_pids $tap82_pid"
  wait_for 10 lab_healthy || lab_die "tap82 run does not answer"
}

# The process that starts sniffers, a child of the engine, and one that looks at packets.
lab_starter_pid() { pgrep -P "$tap82_pid" -x tap82-starter; }
lab_sniffer_pid() { pgrep -P "$(lab_starter_pid)" 2> /dev/null | head -1; }

# lab_family: the pids of the engine, the starter, and its sniffers. A sniffer that has locked itself
# in is in a network of its own: `ip netns pids` does not name it.
lab_family() {
  lab_starter=$(lab_starter_pid)
  echo "$tap82_pid $lab_starter $(pgrep -P "$lab_starter" | tr '\n' ' ')"
}

# lab_all_gone PID…: none of them runs; one that only waits to be reaped does not.
lab_all_gone() { ! ps -o stat= -p "$(echo "$*" | tr -s ' ' ,)" | grep -q '^[^Z]'; }

lab_healthy() {
  curl -sf --max-time 2 --unix-socket "$tmp/state/tap82.sock" http://localhost/healthz
}

# t82 COMMAND…: the command line, as the user of this configuration.
t82() { on_server "$tap82" "$@" -c "$tmp/tap82.ini"; }

events() { cat "$tmp/state/events.jsonl" 2> /dev/null; }

# event_seen JQ-CONDITION: whether the event log has an event like that.
event_seen() { events | jq -e -s "any(.[]; $1)" > /dev/null; }
event_count() { events | jq -s "[.[] | select($1)] | length"; }
