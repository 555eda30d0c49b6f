#!/bin/sh
# SPDX-License-Identifier: ISC
# What N cameras take: memory of tap82 when all of them were new at once and have been reserved in a real
# dhcpd and handed over, and after a restart; of that dhcpd; the store, as it is and without events; the event
# log. MB: bench_sizes.sh BUILD [N…]
set -u
lab_place=${lab_place:-/dev/shm}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
lab_init "${1:?bench_sizes.sh BUILD [N…]}"
shift
[ $# -gt 0 ] || set -- 1000 10000 100000
lab_net

# The devices and ACKs of gen_acks; addresses in no range, as host objects.
configure() {
  cat > "$tmp/dhcpd1.conf" << CONF
omapi-port 7911;
key omapi_key { algorithm hmac-sha256; secret "$lab_key"; };
omapi-key omapi_key;
subnet 10.99.0.0 netmask 255.255.255.0 { }
subnet 10.32.0.0 netmask 255.240.0.0 { }
CONF
  cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/state/tap82.db
devices   = $tmp/devices.csv
listen    = $tmp/state/tap82.sock
event-log = $tmp/state/events.jsonl
user      = nobody
stream-hold = 1s
reservation-timeout = 12h
[capture wire]
file = $tmp/acks.pcap
[server north]
address   = 10.99.0.1
server-id = 10.30.0.2
key-name  = omapi_key
key-file  = $lab_key_file
[group cameras]
subnets = 10.32.0.0/12
relays  = 10.31.0.1
servers = north
reservation = host
CONF
}

api() { curl -s -m 60 --unix-socket "$tmp/state/tap82.sock" "http://localhost$1"; }
told() { api /metrics | awk -v e="tap82_events_total{event=\"$1\"}" '$1 == e {print $2}'; }
all_told() { [ "$(told provision.handoff)" = "$1" ] && [ "$(told streams.hold_ended)" = "$1" ]; }
# kilobytes PID…: what these processes hold, shared pages counted once.
kilobytes() {
  for process in "$@"; do cat "/proc/$process/smaps_rollup"; done | awk '/^Pss:/ {n += $2} END {print n}'
}
bytes() { cat "$@" 2> /dev/null | wc -c; }
without_events() {
  sqlite3 "$tmp/state/tap82.db" "VACUUM INTO '$tmp/copy.db'" &&
    sqlite3 "$tmp/copy.db" 'DELETE FROM event; VACUUM' && bytes "$tmp/copy.db"
  rm -f "$tmp/copy.db"
}

printf '%9s %8s %8s %8s %8s %12s %8s\n' cameras new restart dhcpd store no-events log
for count in "$@"; do
  "$build/bench/gen_acks" "$count" "$tmp/acks.pcap" "$tmp/devices.csv" || exit 1
  rm -f "$tmp"/state/* "$tmp/leases1" "$tmp/tap82.log"
  configure
  chmod 644 "$tmp/acks.pcap" "$tmp/devices.csv"
  lab_dhcpd
  lab_tap82
  wait_for $((60 + count / 100)) all_told "$count" ||
    lab_die "only $(told provision.handoff) of $count cameras were handed over"
  # shellcheck disable=SC2046
  memory=$(kilobytes $(lab_family))
  server=$(kilobytes "$dhcpd_pid")
  lab_stop "$tap82_pid"
  stored=$(bytes "$tmp"/state/tap82.db*)
  head -c 24 "$tmp/acks.pcap" > "$tmp/none.pcap" && mv "$tmp/none.pcap" "$tmp/acks.pcap"
  chmod 644 "$tmp/acks.pcap"
  lab_tap82
  # shellcheck disable=SC2046
  rest=$(kilobytes $(lab_family))
  lab_stop "$tap82_pid"
  lab_stop "$dhcpd_pid"
  awk -v n="$count" -v m="$memory" -v r="$rest" -v d="$server" -v s="$stored" -v w="$(without_events)" \
    -v e="$(bytes "$tmp/state/events.jsonl")" 'BEGIN {
      printf "%9d %8.1f %8.1f %8.1f %8.1f %12.1f %8.1f\n", n, m / 1000, r / 1000, d / 1000, s / 1e6, w / 1e6, e / 1e6
    }'
done
