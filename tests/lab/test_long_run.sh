#!/bin/sh
# SPDX-License-Identifier: ISC
# Cameras that renew, hour after hour, in compressed time: leases of a minute (of seconds in the
# short form), beside a real dhcpd, with tap82 under AddressSanitizer and then under valgrind.
# Nothing leaks, and memory, descriptors and database stay as large as planned.
#
# TAP82_SOAK=1: 10 000 cameras for an hour, twice. Else, or to choose: LONG_CAMERAS, LONG_SECONDS,
# LONG_LEASE (seconds), LONG_UNDER ("asan valgrind"). LONG_SAMPLES: the folder that keeps what was
# measured each LONG_EVERY seconds, one JSON line a sample: memory (KiB) and descriptors of
# engine, starter, sniffer; bytes of database and event log; what has been observed.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

if [ -n "${TAP82_SOAK:-}" ]; then
  cameras_count=${LONG_CAMERAS:-10000} seconds=${LONG_SECONDS:-3600} lease=${LONG_LEASE:-60} every=${LONG_EVERY:-10}
else
  cameras_count=${LONG_CAMERAS:-200} seconds=${LONG_SECONDS:-24} lease=${LONG_LEASE:-4} every=${LONG_EVERY:-1}
fi
retention=$((lease * 2))

# under asan | valgrind: what the engine is started with; its own words go to tap82.log.
program_of() {
  echo "$top/build/$1/tap82"
  [ -x "$top/build/$1/tap82" ] || make -s -C "$top" VARIANT="$1" "build/$1/tap82" > /dev/null
}
start() {
  engine=$(program_of "$1")
  if [ "$1" = valgrind ]; then
    # Its own pipes for a debugger would be left behind: the user it becomes may not remove them. A
    # log for each process would have to be opened by sniffers, which may open nothing.
    ip netns exec "$server_ns" valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite,possible \
      --error-exitcode=9 --log-fd=9 "$engine" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 9>> "$tmp/valgrind.log" &
  else
    # What was freed is kept for a while to find its late use: not more of it than can be planned.
    ip netns exec "$server_ns" env ASAN_OPTIONS=quarantine_size_mb=8 "$engine" run -c "$tmp/tap82.ini" >> "$tmp/tap82.log" 2>&1 &
  fi
  tap82_pid=$!
  lab_pids="$lab_pids $tap82_pid"
  wait_for 60 lab_healthy || lab_die "tap82 under $1 does not answer"
}

ask_api() { curl -sf --max-time 20 --unix-socket "$tmp/state/tap82.sock" "http://localhost$1"; }
memory_of() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
descriptors_of() { find "/proc/$1/fd" -mindepth 1 2> /dev/null | wc -l; }
bytes_of() { cat "$@" 2> /dev/null | wc -c; }
metric() { awk -v name="$1" '$1 ~ "^" name "[{]?" { sum += $2 } END { printf "%d", sum }' "$tmp/metrics"; }

sample() {
  # shellcheck disable=SC2046
  set -- $(lab_family)
  ask_api /metrics > "$tmp/metrics"
  printf '{"at": %d, "rss": [%s, %s, %s], "fds": [%d, %d, %d], "db": %d, "rows": %d, "log": %d, "messages": %d, "drops": %d}\n' \
    $(($(date +%s) - began)) "$(memory_of "$1")" "$(memory_of "$2")" "$(memory_of "$3")" \
    "$(descriptors_of "$1")" "$(descriptors_of "$2")" "$(descriptors_of "$3")" \
    "$(bytes_of "$tmp/state/tap82.db" "$tmp/state/tap82.db-wal")" "$(event_rows)" "$(bytes_of "$tmp/state/events.jsonl")" \
    "$(metric tap82_capture_messages_total)" "$(metric tap82_capture_drops_total)" >> "$samples"
}
event_rows() { sqlite3 -readonly "$tmp/state/tap82.db" 'select count(*) from event' 2> /dev/null || echo 0; }

# What people and programs ask meanwhile.
ask_around() {
  for path in /healthz /v1/status /v1/unknown "/v1/devices/02:00:00:01:00:01" "/v1/devices/02:00:00:01:00:01/explain" \
    "/v1/events?since=$(date -u -d '-2 sec' +%Y-%m-%dT%H:%M:%SZ)"; do
    ask_api "$path" > /dev/null || echo "$path" >> "$tmp/unanswered"
  done
}
# logrotate's part; SIGHUP also reads the inventory again.
rotate() {
  rm -f "$tmp/state/events.jsonl"
  kill -HUP "$tap82_pid"
  for log in "$tmp"/dhcpd*.log; do : > "$log"; done
}

watch_it() {
  turn=0
  while lab_alive "$cameras_pid" && lab_alive "$tap82_pid"; do
    sample
    ask_around
    turn=$((turn + 1))
    [ $((turn % 12)) -eq 0 ] && rotate
    sleep "$every"
  done
}
lab_alive() { kill -0 "$1" 2> /dev/null; }

# Of the samples: the one at the start, the largest in the second quarter, the last quarter's.
figures() {
  jq -cs '.[(length / 4 | floor):(length / 2 | ceil)] as $warm | .[(length * 3 / 4 | floor):] as $late |
    {seconds: .[-1].at, messages: .[-1].messages, drops: .[-1].drops,
     start: .[0] | {rss, fds, db, rows},
     warm: {rss: [range(3) as $i | $warm | map(.rss[$i]) | max], fds: [range(3) as $i | $warm | map(.fds[$i]) | max], db: $warm | map(.db) | max, rows: $warm | map(.rows) | max},
     end: {rss: [range(3) as $i | $late | map(.rss[$i]) | max], fds: [range(3) as $i | $late | map(.fds[$i]) | max], db: $late | map(.db) | max, rows: $late | map(.rows) | max}}' "$samples"
}
holds() { [ "$(figures | jq "$1")" = true ] || { figures && false; }; }
all_provisioned() { ask_api /v1/status | jq -e ".tables.provisioned == $cameras_count" > /dev/null; }
# A tenth and 4 MiB are the allocator's own.
memory_stays() { holds '[range(3) as $i | .end.rss[$i] <= .warm.rss[$i] * 1.1 + 4096] | all'; }
descriptors_stay() { holds '[range(3) as $i | .end.fds[$i] <= .warm.fds[$i] + 1] | all'; }
# Rows of the retention, and of the minute between two clean-ups; the file keeps free pages.
database_stays() {
  holds ".end.rows <= 4 * $cameras_count + 3 * $cameras_count / $lease * ($retention + 75) and .end.db <= .end.rows * 1500 + 20000000"
}
no_reports() {
  ! grep -q 'ERROR: \(Address\|Leak\)Sanitizer\|runtime error:' "$tmp/tap82.log" &&
    ! cat "$tmp/valgrind.log" 2> /dev/null | grep '^=='
}

long_run() {
  rm -f "$tmp"/state/* "$tmp/leases1" "$tmp/unanswered" "$tmp/valgrind.log"
  samples=${LONG_SAMPLES:-$tmp}/samples.$1
  : > "$samples"
  : > "$tmp/unanswered"
  lab_dhcpd
  start "$1"
  began=$(date +%s)
  on_relay "$camsim" --iface br0 --quiet --timeout $((seconds + 60))s --script "$tmp/script" > "$tmp/cameras.out" 2>&1 &
  cameras_pid=$!
  lab_pids="$lab_pids $cameras_pid"
  watch_it
  wait "$cameras_pid"
  echo "    $1: cameras: $(tail -1 "$tmp/cameras.out")"
  echo "    $1: tap82: $(figures)"
  check "$1: every camera was answered to the end" grep -q '"none":0,.*"unfinished":0' "$tmp/cameras.out"
  check "$1: every camera is provisioned" wait_for 30 all_provisioned
  check "$1: the same processes are at work" test "$(event_count '.event == "sniffer.restarted"')" -eq 0
  check "$1: the API answered every time" test ! -s "$tmp/unanswered"
  check "$1: memory has not grown since it was warm" memory_stays
  check "$1: nor descriptors" descriptors_stay
  check "$1: the database holds the retention, not more" database_stays
  kill "$tap82_pid"
  wait "$tap82_pid"
  check "$1: it ends well" test $? -eq 0
  check "$1: no leak, no error" no_reports
  lab_stop "$dhcpd_pid"
}

export lab_place=/dev/shm # not a test of the disk
lab_init "${1:?test_long_run.sh BUILD}"
[ -n "${LONG_SAMPLES:-}" ] && mkdir -p "$LONG_SAMPLES"
lab_settings="event-retention = ${retention}s"
lab_net
lab_dhcpd_conf "$lease"
{
  echo mac,serial_number
  for n in $(seq 1 "$cameras_count"); do
    printf '02:00:00:01:%02x:%02x,SN-%d\n' $((n / 256)) $((n % 256)) "$n"
  done
} | lab_devices
lab_tap82_conf
# The cameras, some that nobody knows, and a few that start again now and then.
cat > "$tmp/script" << SIM
default relay=10.20.0.1 circuit=eth0/%d remote=sw-7 tries=200 retry=${LONG_RETRY:-2s} rate=$((cameras_count / lease)).5
dora mac=02:00:00:01:00:01 count=$cameras_count stay=${seconds}s
dora mac=02:00:00:0f:00:01 count=$((cameras_count / 100)) stay=${seconds}s
@$((seconds / 2))s dora mac=02:00:00:0f:00:01 count=$((cameras_count / 100)) rate=1
SIM
for under in ${LONG_UNDER:-asan valgrind}; do long_run "$under"; done
exit "$lab_failures"
