#!/bin/sh
# SPDX-License-Identifier: ISC
# A store that was damaged at several places, as a user meets it: `run` refuses and says what helps,
# `check --repair` saves what can be read and keeps the old, and `run` goes on with what it saved.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

{
  echo 'mac,serial_number,name'
  seq 1500 | while read -r i; do printf '02000000%04x,SN-%d,a name of some length for camera %d\n' "$i" "$i" "$i"; done
} > "$tmp/devices.csv"
cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/s.db
devices   = $tmp/devices.csv
listen    = $tmp/tap82.sock
event-log =
user      =
[capture file]
file = pcaps/scenes/new-camera.pcap
[server north]
address   = 127.0.0.1
port      = 1
server-id = 10.99.0.1
[group cameras]
subnets = 10.50.0.0/24
relays  = 10.50.0.1
servers = north
CONF

healthy() { curl -sf --max-time 2 --unix-socket "$tmp/tap82.sock" http://localhost/healthz > /dev/null; }
# start: `run`, until it answers.
start() {
  "$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
  pid=$!
  tries=200
  until healthy; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] && kill -0 "$pid" || { cat "$tmp/log"; return 1; }
    sleep 0.05
  done
}
stop() {
  kill "-$1" "$pid"
  wait "$pid" 2> /dev/null
  pid=""
}
# says EXIT TEXT COMMAND…: exits so, and says so.
says() {
  want=$1 text=$2
  shift 2
  "$@" -c "$tmp/tap82.ini" > "$tmp/said" 2>&1
  got=$?
  cat "$tmp/said"
  [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; return 1; }
  grep -q "$text" "$tmp/said"
}
size() { stat -c %s "$1"; }
# spoil FILE OFFSET BYTES: with bytes that mean nothing.
spoil() { head -c "$3" /dev/zero | tr '\0' '\245' | dd of="$1" bs=1 seek="$2" conv=notrunc 2> /dev/null; }
saved() { sed -n "s/.*saved: devices \([0-9]*\),.*/\1/p" "$tmp/said" | grep .; }

check "a store is made" start
stop KILL
mkdir "$tmp/crashed"
cp "$tmp/s.db" "$tmp/s.db-wal" "$tmp/crashed"
check "and opened again" start
stop TERM
cp "$tmp/s.db" "$tmp/good.db"
restore() {
  rm -f "$tmp"/s.db*
  cp "$tmp/good.db" "$tmp/s.db"
}
check "there is nothing to repair" says 0 "nothing to repair" "$build/tap82" check --repair

# damaged NAME LEAST: is refused, and repaired with so many devices at least.
damaged() {
  cp "$tmp/s.db" "$tmp/before.db"
  check "$1: check finds it" says 1 "tap82: store $tmp/s.db: " "$build/tap82" check
  check "$1: and changes nothing" cmp "$tmp/s.db" "$tmp/before.db"
  check "$1: run refuses, and says what helps" says 1 "tap82 check --repair" timeout 20 "$build/tap82" run
  check "$1: --repair saves what can be read" says 0 "saved: devices" "$build/tap82" check --repair
  check "$1: $(saved) devices of 1500" test "$(saved)" -ge "$2"
  check "$1: the old one is kept" cmp "$tmp/s.db.damaged-1" "$tmp/before.db"
  check "$1: the new one is sound" says 0 "sound" "$build/tap82" check
  check "$1: run goes on with it" start
  check "$1: with every camera" sh -c \
    "curl -s --unix-socket '$tmp/tap82.sock' http://localhost/v1/devices | jq -e 'length == 1500'"
  stop TERM
}

restore
spoil "$tmp/s.db" $(($(size "$tmp/good.db") / 2 / 4096 * 4096)) 8192
damaged "pages in the middle" 1200
restore
truncate -s $(($(size "$tmp/good.db") * 3 / 5)) "$tmp/s.db"
damaged "a file that was cut" 300

restore
spoil "$tmp/s.db" 0 100
cp "$tmp/s.db" "$tmp/before.db"
check "no header: run refuses" says 1 "not a database" timeout 20 "$build/tap82" run
check "no header: --repair says that nothing can be read" says 1 "not a database" "$build/tap82" check --repair
check "no header: it stays as it was" cmp "$tmp/s.db" "$tmp/before.db"

# What a crash left in the journal counts as far as its checksums hold.
journal() {
  rm -f "$tmp"/s.db*
  cp "$tmp/crashed/s.db" "$tmp/crashed/s.db-wal" "$tmp"
}
journal
spoil "$tmp/s.db-wal" $(($(size "$tmp/s.db-wal") / 2)) 65536
check "garbage in the journal: run goes on with what is whole" start
stop TERM
check "garbage in the journal: the store is sound" says 0 "sound" "$build/tap82" check
journal
truncate -s $(($(size "$tmp/s.db-wal") * 2 / 3 + 17)) "$tmp/s.db-wal"
check "a journal that was cut: run goes on" start
stop TERM
check "a journal that was cut: the store is sound" says 0 "sound" "$build/tap82" check
[ "$failures" -eq 0 ]
