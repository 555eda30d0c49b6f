#!/bin/sh
# SPDX-License-Identifier: ISC
# Readers of the event log miss nothing that the store has: pages, followers that were away, the command
# line over a restart. No root.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n' > "$tmp/devices.csv"
cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/tap82.db
devices   = $tmp/devices.csv
listen    = $tmp/tap82.sock
event-log =
user      =
[capture file]
file = pcaps/scenes/new-camera.pcap
[server away]
address = 127.0.0.1
port    = 1
[group cameras]
subnets = 10.50.0.0/24
servers = away
CONF
base=http://localhost/v1/events
api() { curl -s --max-time 60 --unix-socket "$tmp/tap82.sock" "$@"; }
run() {
  "$build/tap82" run -c "$tmp/tap82.ini" >> "$tmp/log" 2>&1 &
  pid=$!
  wait_for 10 api -f http://localhost/healthz || { echo "not ok - run: $(tail -3 "$tmp/log")"; exit 1; }
}
stop() {
  kill "-${1:-TERM}" "$pid"
  wait "$pid" 2> /dev/null
  pid=""
}
t82() { "$build/tap82" "$@" -c "$tmp/tap82.ini"; }
id_of() { printf 'the-event-%06d' "$1" | od -An -tx1 | tr -d ' \n'; }

# As many events as fill several pages, one a second; every tenth is of another camera and kind.
run
stop
many=25000
sqlite3 "$tmp/tap82.db" "DELETE FROM event;
  WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $many)
  INSERT INTO event (id, time, mac, code, json) SELECT CAST(printf('the-event-%06d', n) AS BLOB),
    1800000000000000 + n * 1000000, 2199023255553 + (n % 10 = 0),
    CASE WHEN n % 10 THEN 'camera.moved' ELSE 'port.shared' END,
    '{\"time\":\"' || strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1800000000 + n, 'unixepoch') || '\",\"id\":\"' ||
    lower(hex(printf('the-event-%06d', n))) || '\",\"event\":\"x\",\"detail\":\"' || n || '\"}' FROM c"
sed -i '/^devices/d' "$tmp/tap82.ini" # a reload is to tell nothing here
run

# ---- pages ----

# numbers: the details of the events on standard input, which are their numbers.
numbers() { jq -r 'if type == "array" then .[] else . end | .detail // empty' | grep -x '[0-9]*'; }
# all_pages QUERY: every page behind the one before, until one is empty.
all_pages() {
  last=""
  for _ in $(seq 100); do
    api "$base?after=$last&$1" > "$tmp/page"
    [ "$(jq length "$tmp/page")" -gt 0 ] || break
    numbers < "$tmp/page"
    last=$(jq -r '.[-1].id' "$tmp/page")
  done
}
is_sequence() { numbers_of="$(seq "$2" "${4:-1}" "$3")"; [ "$(cat "$1")" = "$numbers_of" ]; }

api "$base?event=camera.moved" | numbers | tail -n +9999 > "$tmp/got"
check "without a place: the newest 10 000" is_sequence "$tmp/got" 24998 24999
all_pages "limit=4000" > "$tmp/got"
check "pages behind each other have every event once, in order" is_sequence "$tmp/got" 1 $many
api "$base?after=" | numbers > "$tmp/got"
check "a page holds 10 000 if nothing else is said" is_sequence "$tmp/got" 1 10000
api "$base?after=&limit=0" | numbers > "$tmp/got"
check "limit=0 holds them all" is_sequence "$tmp/got" 1 $many
all_pages "limit=300&event=port.shared" > "$tmp/got"
check "pages of one kind" is_sequence "$tmp/got" 10 $many 10
all_pages "limit=300&mac=02:00:00:00:00:02" > "$tmp/got"
check "pages of one camera" is_sequence "$tmp/got" 10 $many 10
api "$base?after=&limit=3&since=$((1800000000 + 24000))" | numbers > "$tmp/got"
check "from a time on, the oldest first" is_sequence "$tmp/got" 24000 24002
api "$base?after=$(id_of $many)&event=camera.moved" | jq -c . > "$tmp/got"
check "behind the newest there is nothing" grep -qx '\[\]' "$tmp/got"
check "an event that is not kept: 404, with what to do" sh -c "curl -s --unix-socket '$tmp/tap82.sock' \
  -w '%{http_code}' '$base?after=$(id_of 999999)' | tr -d '\n' | grep 'since=.*404\$'"
check "what is no id: 400" sh -c "curl -s --unix-socket '$tmp/tap82.sock' \
  -w '%{http_code}' '$base?after=abc' | tr -d '\n' | grep 'after.*400\$'"

# ---- followers ----

# followed QUERY LAST: what a follower was given, up to the event with that number.
followed() {
  : > "$tmp/stream"
  curl -sN --max-time 60 --unix-socket "$tmp/tap82.sock" "$base?follow=1&$1" > "$tmp/stream" &
  follower=$!; pids=$follower
  wait_for 20 grep -q "\"detail\":\"$2\"" "$tmp/stream"
  kill $follower
  wait $follower 2> /dev/null
  follower=""
  numbers < "$tmp/stream" > "$tmp/got"
}
followed "after=$(id_of 20)" $many
check "a follower that was away gets all that it missed" is_sequence "$tmp/got" 21 $many
followed "since=$((1800000000 + 5000))" $many
check "also by the time" is_sequence "$tmp/got" 5000 $many
followed "since=$((1800000000 + 5000))&limit=100&event=port.shared" $many
check "with a limit: only the newest of the past" is_sequence "$tmp/got" 24010 $many 10
followed "after=&event=port.shared" $many
check "only those of a kind" is_sequence "$tmp/got" 10 $many 10

# ---- the command line ----

t82 events --json | numbers > "$tmp/got"
check "tap82 events: all that are kept" is_sequence "$tmp/got" 1 $many
t82 events --json --limit 5 --event camera.moved | numbers > "$tmp/got"
check "--limit: the newest" is_sequence "$tmp/got" 24995 24999
t82 events --json --after "$(id_of 100)" --limit 2 | numbers > "$tmp/got"
check "--after: the next" is_sequence "$tmp/got" 101 102
t82 events --after "$(id_of 999999)" 2> "$tmp/err"
check "an event that is not kept: exit 3" test $? -eq 3
t82 events --json --since 2027-01-15T09:40:00Z | numbers > "$tmp/got"
check "--since: every one since then" is_sequence "$tmp/got" 6000 $many
: > "$tmp/stream"
t82 events --follow --json --after "$(id_of 24990)" > "$tmp/stream" 2> "$tmp/err" &
follower=$!; pids=$follower
check "a follower begins where it is told to" wait_for 10 grep -q "\"detail\":\"$many\"" "$tmp/stream"
stop KILL
check "it says that tap82 has gone" wait_for 5 grep -q '^tap82: events: the connection ended' "$tmp/err"
sqlite3 "$tmp/tap82.db" "INSERT INTO event (id, time, mac, code, json) VALUES
  (CAST('the-event-025001' AS BLOB), 1800025001000000, 0, 'store.degraded',
   '{\"time\":\"2027-01-15T16:56:41Z\",\"id\":\"$(id_of 25001)\",\"detail\":\"25001\"}')"
run
check "when tap82 is back, it is told what happened meanwhile" \
  wait_for 10 grep -q '"detail":"25001"' "$tmp/stream"
numbers < "$tmp/stream" > "$tmp/got"
check "and nothing twice" is_sequence "$tmp/got" 24991 25001
kill $follower
wait $follower 2> /dev/null
follower=""
stop
check "no sanitizer complained" sh -c "! grep -E 'ERROR: |runtime error' '$tmp/log'"
exit "$failures"
