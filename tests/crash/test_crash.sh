#!/bin/sh
# SPDX-License-Identifier: ISC
# The engine is killed at every border of its work, and at random instants under a storm, beside a
# real dhcpd. After the restart: what it had committed is done without a new ACK, nothing is done
# twice, the log holds each event once, holds go on, and dhcpd holds what our table says.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"

cameras_count=4
points="observed decided committed sent answered recorded written delivered"

# A build with failpoints: the one given, or the sanitizers', or one of its own.
hooked_build() {
  for candidate in "$tap82" "$top/build/asan/tap82" "$top/build/hooks/tap82"; do
    grep -qs TAP82_FAILPOINT "$candidate" && echo "$candidate" && return
  done
  make -s -C "$top" VARIANT=hooks build/hooks/tap82 > /dev/null && echo "$top/build/hooks/tap82"
}

mac_of() { printf '02:00:00:00:%02x:%02x' $(($1 / 256)) $(($1 % 256)); }

# ask FIRST COUNT: so many cameras get an address, all at once, none answers for the others.
ask() {
  for i in $(seq "$1" $(($1 + $2 - 1))); do
    echo "dora mac=$(mac_of "$i") relay=10.20.0.1 circuit=eth0/$i remote=sw-7"
  done > "$tmp/script"
  cameras --timeout 8s --script "$tmp/script" > "$tmp/cameras.out"
}

# A receiver that takes everything and keeps it, a line a body.
start_receiver() {
  on_server python3 -c '
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        open(sys.argv[1], "ab").write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
' "$tmp/bodies" &
  receiver_pid=$!
  lab_pids="$lab_pids $receiver_pid"
}

# lab_tap82 without a wait, killed at failpoint $1 ("" : never); its exit is looked at by the caller.
start_engine() {
  ip netns exec "$server_ns" env TAP82_FAILPOINT="$1" "$engine" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 &
  tap82_pid=$!
  lab_pids="$lab_pids $tap82_pid"
}
restart_engine() {
  start_engine ""
  wait_for 15 lab_healthy || lab_die "tap82 does not start again"
}

alive() { kill -0 "$1" 2> /dev/null; }

# Where an allocation of a known camera was committed, its reservation is made.
committed_is_done() {
  events | jq -es '
    [.[] | select(.event == "dhcp.ip_allocation" and .device) | .mac] - [.[] |
      select(.event == "dhcp.reservation_created" or .event == "provision.handoff") | .mac] == []'
}
# As many hand-overs as cameras, and every one of them provisioned.
all_provisioned() {
  [ "$(t82 devices --json | jq -rs "[.[] | select(.state == \"provisioned\")] | length")" -ge "$1" ]
}
ids_are_unique() { events | jq -es '([.[].id] | length) == ([.[].id] | unique | length)'; }
created_once_each() {
  events | jq -es '[.[] | select(.event == "dhcp.reservation_created") | .mac] |
    length == (unique | length)'
}
log_is_store() {
  events | jq -r .id | sort > "$tmp/ids.log"
  sqlite3 "$tmp/state/tap82.db" 'select lower(hex(id)) from event' | sort > "$tmp/ids.store"
  cmp "$tmp/ids.log" "$tmp/ids.store"
}
holds_go_on() {
  t82 devices --json | jq -es "[.[] | select(.state == \"provisioned\")] |
    length > 0 and all(.hold_until > \"$(date -u +%Y-%m-%dT%H:%M:%S)\")"
}
# Every host that our table says, asked of dhcpd; and in its file none of ours besides.
hosts_are_reservations() {
  t82 devices --json | jq -r 'select(.state == "provisioned") | "\(.mac) \(.ip)"' > "$tmp/table"
  while read -r mac ip; do
    host_is "$mac" "$ip" < /dev/null || { echo "dhcpd has no $mac $ip"; return 1; }
  done < "$tmp/table"
  [ -z "$(cut -d' ' -f2 "$tmp/table" | sort | uniq -d)" ] || { echo "an address twice" && return 1; }
  [ "$(grep -o '^host tap82-[0-9a-f]*' "$tmp/leases1" | sort -u | wc -l)" -eq "$(wc -l < "$tmp/table")" ]
}
bodies_hold() {
  wanted=$1
  [ "$(jq -r '.mac' "$tmp/bodies" 2> /dev/null | sort -u | wc -l)" -ge "$wanted" ]
}
invariants() {
  for holds in ids_are_unique created_once_each hosts_are_reservations holds_go_on "wait_for 10 bodies_hold $1" log_is_store; do
    $holds || { echo "not so: $holds" && return 1; }
  done
}

fresh_ground() {
  rm -f "$tmp"/state/* "$tmp/bodies" "$tmp/leases1" "$tmp/leases1~"
  : > "$tmp/bodies"
  lab_dhcpd
}

# How often a place is passed before a camera asks differs: die_at POINT N lets the engine run, and
# says in $died whether its end came "early", while cameras asked ("working"), or "never".
die_at() {
  fresh_ground
  start_engine "$1:$2"
  wait_for 15 healthy_or_dead
  if ! alive "$tap82_pid"; then
    died=early
  else
    ask 1 $cameras_count
    died=working
    wait_for 3 dead || died=never
  fi
  kill -KILL "$tap82_pid" 2> /dev/null
  wait "$tap82_pid" 2> /dev/null
  return 0
}
dead() { ! alive "$tap82_pid"; }
healthy_or_dead() { dead || lab_healthy; }

# crash_at POINT [MORE]: the whole story of one crash, at the first passing while cameras ask, or
# MORE passings later.
crash_at() {
  n=1
  while die_at "$1" $n && [ $died = early ] && [ $n -lt 20 ]; do
    n=$((n + 1))
    lab_stop "$dhcpd_pid"
  done
  if [ "${2:-0}" -gt 0 ]; then
    n=$((n + $2))
    lab_stop "$dhcpd_pid"
    die_at "$1" $n
  fi
  check "$1:$n: the engine dies there" test $died = working
  restart_engine
  check "$1:$n: what was committed is done without a new ACK" wait_for 15 committed_is_done
  ask 1 $cameras_count
  check "$1:$n: the others are provisioned with their next ACK" wait_for 15 all_provisioned $cameras_count
  check "$1:$n: once each, in dhcpd, log, store and at the VMS" invariants $cameras_count
  lab_stop "$tap82_pid"
  lab_stop "$dhcpd_pid"
}

# storm KILLS: waves of cameras while the engine is killed again and again.
storm() {
  fresh_ground
  restart_engine
  wave=1
  for _ in $(seq 1 "$1"); do
    ask $((wave * 16)) 16 &
    asking=$!
    # A random instant within the wave, in milliseconds.
    sleep "0.$(printf '%03d' $(($(od -An -N2 -tu2 /dev/urandom) % 700)))"
    kill -KILL "$tap82_pid"
    wait "$tap82_pid" 2> /dev/null
    restart_engine
    wait "$asking"
    wave=$((wave % storm_waves + 1))
  done
  check "storm: what was committed is done without a new ACK" wait_for 30 committed_is_done
  for wave in $(seq 1 "$storm_waves"); do ask $((wave * 16)) 16; done
  check "storm: every camera is provisioned in the end" wait_for 30 all_provisioned $((storm_waves * 16))
  check "storm: once each, in dhcpd, log, store and at the VMS" invariants $((storm_waves * 16))
  lab_stop "$tap82_pid"
}

lab_settings="stream-hold = 2h" # longer than 500 restarts take
lab_init "${1:?test_crash.sh BUILD}"
engine=$(hooked_build)
[ -n "$engine" ] || lab_die "there is no build with failpoints"
lab_net
lab_dhcpd_conf
storm_waves=6
{
  echo "mac,serial_number"
  for i in $(seq 1 $(((storm_waves + 1) * 16))); do echo "$(mac_of "$i"),SN-$i"; done
} | lab_devices
lab_tap82_conf
cat >> "$tmp/tap82.ini" << CONF
[webhook vms]
url = http://127.0.0.1:8099/
format = tap82
CONF
start_receiver

for point in $points; do
  for more in 0 ${TAP82_SOAK:+1 2 3}; do crash_at "$point" "$more"; done
done
engine=$tap82
if [ -n "${TAP82_SOAK:-}" ]; then storm 500; else storm 8; fi
