#!/bin/sh
# SPDX-License-Identifier: ISC
# What a person at a terminal gets to see, and a script does not: progress, colour, tables that fit.
# No root.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

# on_terminal WHICH COLUMNS COMMAND…: with stderr ("err"), or stdout and stderr ("both"), on a pseudo
# terminal; what it showed there is in $tmp/tty, the other output in $tmp/stdout.
cat > "$tmp/pty.py" << 'PY'
import fcntl, os, struct, subprocess, sys, termios
which, columns, tty, stdout = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
ours, theirs = os.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
with open(stdout, "wb") as out:
    child = subprocess.Popen(sys.argv[5:], stdin=sys.stdin, stderr=theirs,
                             stdout=theirs if which == "both" else out)
os.close(theirs)
with open(tty, "wb") as log:
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        if not block:
            break
        log.write(block)
sys.exit(child.wait())
PY
on_terminal() {
  which=$1
  columns=$2
  shift 2
  python3 "$tmp/pty.py" "$which" "$columns" "$tmp/tty" "$tmp/stdout" "$@"
}
shows() { grep -aqE -- "$1" "$tmp/tty"; }
silent() { [ ! -s "$1" ]; }

cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/tap82.db
listen    = $tmp/tap82.sock
event-log =
user      =
[capture file]
file = pcaps/scenes/new-camera.pcap
[server away]
address   = 127.0.0.1
port      = 1
server-id = 10.99.0.1
[group cameras]
subnets = 10.50.0.0/24
servers = away
CONF

# ---- progress: a capture through a pipe, for more than a second ----

# slowly: many copies of a capture as one, a part every now and then.
cat > "$tmp/slowly.py" << 'PY'
import sys, time
whole = open("pcaps/scenes/new-camera.pcap", "rb").read()
sys.stdout.buffer.write(whole[:24])
for part in range(5):
    sys.stdout.buffer.write(whole[24:] * 1500)
    sys.stdout.buffer.flush()
    time.sleep(0.25)
PY
slowly() { python3 "$tmp/slowly.py"; }
line='[0-9]+ packets, [0-9.]+( k| M)?/s: '
slowly | on_terminal err 80 "$build/tap82" decode --json -
check "decode: packets and rate on a terminal" shows "$line-"
check "the line is taken away in the end" sh -c "tail -c 4 '$tmp/tty' | tr -d '\r' | grep -aq '\[K\$'"
check "and the records are whole" sh -c "[ \"\$(jq -c . '$tmp/stdout' | wc -l)\" = 45000 ]"
slowly | "$build/tap82" decode --stats - > "$tmp/stdout" 2> "$tmp/err"
check "decode: nothing where stderr is no terminal" silent "$tmp/err"
slowly | on_terminal both 80 "$build/tap82" decode --json -
check "decode: nothing between records that scroll by" sh -c "! grep -aqE '$line' '$tmp/tty'"
slowly | on_terminal err 80 "$build/tap82" replay --json -c "$tmp/tap82.ini" -
check "replay: packets and rate on a terminal" shows "$line-"
slowly | "$build/tap82" replay --json -c "$tmp/tap82.ini" - > "$tmp/stdout" 2> "$tmp/err"
check "replay: nothing where stderr is no terminal" silent "$tmp/err"

# ---- with a running tap82 ----

"$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
pid=$!
wait_for 10 curl -sf --unix-socket "$tmp/tap82.sock" http://localhost/healthz || {
  echo "not ok - run: $(tail -3 "$tmp/log")"
  exit 1
}
rows=100000
awk -v n=$rows 'BEGIN { print "mac,serial_number,name"
  for (i = 1; i <= n; i++) printf "02:00:00:%02x:%02x:%02x,SN-%d,Камера у ворот номер %d\n", i / 65536, i / 256 % 256, i % 256, i, i }' \
  > "$tmp/many.csv"
on_terminal err 80 "$build/tap82" devices import "$tmp/many.csv" -c "$tmp/tap82.ini"
check "import: share, rate and time left" shows '[0-9]+ %, [0-9]+ devices, [0-9.]+( k| M)?/s, [0-9]+ (s|min) left: '
check "and what it did" grep -qx "$rows created, 0 changed" "$tmp/stdout"
on_terminal err 40 "$build/tap82" devices import "$tmp/many.csv" -c "$tmp/tap82.ini"
check "a narrow terminal is not wrapped around" sh -c \
  "! tr '\r' '\n' < '$tmp/tty' | sed 's/\x1b\[K//g' | grep -aE '^.{40}'"

# ---- tables ----

# lines_fit COLUMNS: no line of the terminal is longer (in characters: all of them take one place).
lines_fit() {
  sed 's/\x1b\[[0-9;]*[mK]//g; s/\r$//' "$tmp/tty" |
    python3 -c "import sys; sys.exit(any(len(l.rstrip('\n')) > $1 and print(l) is None for l in sys.stdin))"
}
on_terminal both 120 "$build/tap82" devices list --state new -c "$tmp/tap82.ini"
check "120 columns: a table that fits" lines_fit 120
on_terminal both 80 "$build/tap82" devices list --state new -c "$tmp/tap82.ini"
check "80 columns: it fits" lines_fit 80
check "and addresses are whole" shows '02:00:00:01:86:a0'
on_terminal both 60 "$build/tap82" unknown -c "$tmp/tap82.ini"
check "60 columns: it fits" lines_fit 60
for command in status reservations "events" "explain 02:00:00:00:00:01" "devices show 02:00:00:00:00:01"; do
  # shellcheck disable=SC2086
  check "$command: on a terminal" on_terminal both 60 "$build/tap82" $command -c "$tmp/tap82.ini"
done
on_terminal both 80 "$build/tap82" status -c "$tmp/tap82.ini"
check "titles are bold on a terminal" shows "$(printf '\033')\[1m"
NO_COLOR=1 on_terminal both 80 "$build/tap82" status -c "$tmp/tap82.ini"
check "NO_COLOR: not" sh -c "! grep -aq \"\$(printf '\033')\" '$tmp/tty'"

# ---- --json on what prints data ----

for command in status devices "devices show 02:00:00:00:00:01" unknown reservations events \
  "explain 02:00:00:00:00:01" version check "option82 0106000400780102" \
  "decode pcaps/scenes/new-camera.pcap" "replay pcaps/scenes/new-camera.pcap" \
  "devices add 02:00:00:aa:00:01 serial_number=X1" "devices remove 02:00:00:aa:00:01"; do
  # shellcheck disable=SC2086
  check "$command --json: JSON Lines" sh -c "'$build/tap82' $command --json -c '$tmp/tap82.ini' 2> /dev/null |
    jq -es 'all(type == \"object\")'"
done
kill "$pid"
wait "$pid"
pid=""
check "no sanitizer complained" sh -c "! grep -E 'ERROR: |runtime error' '$tmp/log'"
exit "$failures"
