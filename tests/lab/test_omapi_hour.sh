#!/bin/sh
# SPDX-License-Identifier: ISC
# One dhcpd of two is dead for an hour, before the eyes of the whole `tap82 run`, whose clocks
# (faketime: CLOCK_REALTIME, _MONOTONIC, _BOOTTIME, and what sleeps on them) run 120 times as fast
# meanwhile. Cameras come, are answered by the other one, and come again.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # of lib.sh: this is not about the disk
lab_place=/dev/shm
lab_init "${1:?test_omapi_hour.sh BUILD}"
lab_net 2
server_ns=t82s$$-2 # of tap82, and of the dhcpd that answers cameras ("south")
rate=120
faketime=$(echo /usr/lib/*/faketime/libfaketime.so.1)
[ -e "$faketime" ] || lab_die "libfaketime is missing: run 'make deps'"
unset DONT_FAKE_MONOTONIC FAKETIME_DONT_FAKE_MONOTONIC

# ---- clocks ----

# What faketime shows is START + (now - START) * RATE + OFFSET: a change of the rate wants an offset
# that makes it go on from where it was.
now() { date +%s.%N; }
clock_start() {
  started=$(now) offset=0 speed=1
  echo +0 > "$tmp/state/clock"
}
clock_speed() {
  offset=$(echo "$(now) $started $offset $speed $1" | awk '{printf "%+.6f", $3 + ($1 - $2) * ($4 - $5)}')
  speed=$1
  echo "$offset x$1" > "$tmp/state/clock.new"
  mv "$tmp/state/clock.new" "$tmp/state/clock"
}

# ---- cameras, and what is there ----

mac() { printf '02:00:00:00:00:%02x' "$1"; }
# asks FIRST COUNT: they start, and are answered by south.
asks() {
  cameras --timeout 30s --server-mac 02:82:00:00:00:03 dora "mac=$(mac "$1")" "count=$2" tries=20 \
    server=10.99.0.3 relay=10.20.0.1 circuit=eth0/%d remote=sw-7 > "$tmp/cameras.out"
  [ "$(jq -r 'select(.result == "ack") | .mac' "$tmp/cameras.out" | wc -l)" -eq "$2" ]
}
told() { event_count ".event == \"server.$1\" and .server == \"north\""; }
count_of() { event_count ".event == \"$1\" and .mac == \"$(mac "$2")\""; }
is_told() { [ "$(told "$1")" -eq "$2" ]; }
each_has() { # EVENT FIRST LAST TIMES
  for n in $(seq "$2" "$3"); do [ "$(count_of "$1" "$n")" -eq "$4" ] || return 1; done
}
hosts_in() { sed -n '/^host /,/^}/s/^ *\(hardware ethernet\|fixed-address\) //p' "$1" | paste - - | tr -d ';' | sort; }
host_count() { hosts_in "$tmp/leases$1" | wc -l; }
host_count_is() { [ "$(host_count "$1")" -eq "$2" ]; }
attempts() { on_server nstat -asz TcpActiveOpens | awk '$1 == "TcpActiveOpens" {print $2}'; }
ticks() { awk '{print $14 + $15}' "/proc/$tap82_pid/stat"; } # of 10 ms
lines_of() { grep -c "$1" "$tmp/tap82.log"; }

# ---- the hour ----

begin() {
  lab_dhcpd_conf 7200 1
  sed -i 's/ range [^;]*;//' "$tmp/dhcpd1.conf"
  lab_dhcpd_conf 7200 2
  {
    echo mac,serial_number
    for n in $(seq 1 20); do echo "$(mac "$n"),SN-$n"; done
  } | lab_devices
  lab_tap82_conf
  sed -i 's/^servers = north/servers = north, south/' "$tmp/tap82.ini"
  cat >> "$tmp/tap82.ini" << CONF

[server south]
address       = 10.99.0.3
key-name      = omapi_key
key-file      = $lab_key_file
key-algorithm = hmac-sha256
CONF
  lab_dhcpd 1
  north_pid=$dhcpd_pid
  lab_dhcpd 2
  clock_start
  ip netns exec "$server_ns" env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$tmp/state/clock" \
    FAKETIME_CACHE_DURATION=1 "$tap82" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 &
  tap82_pid=$!
  lab_pids="$lab_pids $tap82_pid"
  wait_for 10 lab_healthy || lab_die "tap82 run does not answer"
}

dead_for_an_hour() {
  asks 1 4 || lab_die "cameras were not answered"
  check "four cameras are provisioned" wait_for 10 each_has provision.handoff 1 4 1
  check "both have their hosts" test "$(host_count 1) $(host_count 2)" = "4 4"
  had=$(attempts) had_ticks=$(ticks) had_lines=$(lines_of .)
  lab_stop "$north_pid" KILL
  killed=$(now)
  clock_speed $rate
  asks 5 4 || lab_die "cameras were not answered"
  check "told as unreachable" wait_for 10 is_told unreachable 1
  check "those who come now lack it on one server: told once" wait_for 10 each_has dhcp.reservation_update_failed 5 8 1
  asks 5 2 || lab_die "cameras were not answered"
  asks 1 2 || lab_die "cameras were not answered"
  while [ "$(echo "$(now) $killed $rate" | awk '{print ($1 - $2) * $3 < 3600}')" = 1 ]; do sleep 0.2; done
  tried=$(($(attempts) - had)) used=$(($(ticks) - had_ticks)) said=$(($(lines_of .) - had_lines))
  clock_speed 1
  check "an hour has gone by in tap82: the holds of all have ended" each_has streams.hold_ended 1 4 1
  check "tried every 5 s or so ($tried times)" test $tried -ge 300 -a $tried -le 1200
  check "no hot loop ($used ticks in 30 s)" test "$used" -lt 600
  check "one line of log for it" test "$(lines_of 'server north')" -eq 2 # the first is the login
  check "and few at all ($said)" test $said -le 100
  check "unreachable is told once, recovered not" test "$(told unreachable) $(told recovered)" = "1 0"
}

back() {
  lab_dhcpd 1
  check "back: told once" wait_for 30 is_told recovered 1
  check "nothing is lost: north has all, those of before too" wait_for 30 host_count_is 1 8
  hosts_in "$tmp/leases1" > "$tmp/hosts1"
  hosts_in "$tmp/leases2" > "$tmp/hosts2"
  check "and the same as south" diff "$tmp/hosts1" "$tmp/hosts2"
  check "nothing is doubled: a host for each" test "$(cut -f1 "$tmp/hosts2" | uniq -d | wc -l)" -eq 0
  check "a reservation_created for each" wait_for 10 each_has dhcp.reservation_created 1 8 1
  check "no event has the id of another" test -z "$(events | jq -r .id | sort | uniq -d)"
  check "one pair of events" test "$(told unreachable) $(told recovered)" = "1 1"
  check "two lines of log" test "$(lines_of 'server north')" -eq 3
}

begin
dead_for_an_hour
back
