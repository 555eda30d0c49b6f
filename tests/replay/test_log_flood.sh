#!/bin/sh
# SPDX-License-Identifier: ISC
# No packet, peer or file can flood the log: a storm is a few lines a second and a word of what is not
# there; all of it is in the event log. No root.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

# The same exchange of many cameras, one address each: UDP checksums are left out.
cameras=3000
cat > "$tmp/storm.py" << 'PY'
import struct, sys
data = open("pcaps/scenes/new-camera.pcap", "rb").read()
frames, at = [], 24
while at < len(data):
    size = struct.unpack_from("<I", data, at + 8)[0]
    frames.append(data[at:at + 16 + size])
    at += 16 + size
acks = [f for f in frames if b"\x35\x01\x05" in f][:1]
assert acks and b"\x02\x00\x00\x00\x00\x01" in acks[0]
out = open(sys.argv[1], "wb")
out.write(data[:24])
for n in range(int(sys.argv[2])):
    frame = acks[0].replace(b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x07" + n.to_bytes(3, "big"))
    ip = frame.index(b"\x45\x00", 16)
    frame = bytearray(frame)
    frame[ip + 26:ip + 28] = b"\0\0"
    out.write(frame)
PY
python3 "$tmp/storm.py" "$tmp/storm.pcap" $cameras
awk -v n=$cameras 'BEGIN { print "mac,serial_number"
  for (i = 0; i < n; i += 2) printf "02:00:07:%02x:%02x:%02x,SN-%d\n", i / 65536, i / 256 % 256, i % 256, i }' \
  > "$tmp/devices.csv"
port=$((20000 + $$ % 20000))
cat > "$tmp/refuse.py" << 'PY'
import http.server, sys
class Refuse(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(422)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Refuse).serve_forever()
PY
python3 "$tmp/refuse.py" $port 2> /dev/null &
pids=$!
cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/tap82.db
devices   = $tmp/devices.csv
listen    = $tmp/tap82.sock
event-log = $tmp/events.jsonl
user      =
[capture storm]
file = $tmp/storm.pcap
[server away]
address   = 127.0.0.1
port      = 1
server-id = 10.99.0.1
[group cameras]
subnets = 10.50.0.0/24
relays  = 10.50.0.1
servers = away
[webhook refuses]
url    = http://127.0.0.1:$port/
events = dhcp.ip_allocation
format = tap82
CONF
started=$(date +%s)
"$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
pid=$!
pids="$pids $pid"
all_told() { [ "$(grep -c '"event":"dhcp.ip_allocation"' "$tmp/events.jsonl")" = $cameras ]; }
all_refused() { [ "$(grep -c '"event":"webhook.rejected"' "$tmp/events.jsonl")" -ge 200 ]; }
check "a storm of $cameras cameras is in the event log" wait_for 30 all_told
check "so are the refusals of a webhook" wait_for 60 all_refused
# 50 lines a second at most, and those about the sidecar itself.
seconds=$(($(date +%s) - started + 2))
lines=$(grep -c . "$tmp/log")
told=$(grep -c . "$tmp/events.jsonl")
check "the log has few lines of it ($lines of $told in $seconds s)" test "$lines" -le $((50 * seconds + 60))
check "and says how many are not there" wait_for 5 grep -qE 'tap82: [0-9]+ lines of events not written here: see the event log' "$tmp/log"
check "a line has its fields" grep -qE 'tap82: dhcp.ip_allocation mac=02:00:07:00:00:00 ip=10.50.0.[0-9]+ server=away relay=10.50.0.1' "$tmp/log"

awk 'BEGIN { print "mac,serial_number"; for (i = 0; i < 5000; i++) print "odd,SN-" i }' > "$tmp/devices.csv"
check "a table of bad rows is refused" sh -c "curl -s --unix-socket '$tmp/tap82.sock' -X POST \
  http://localhost/v1/reload -o /dev/null -w '%{http_code}' | grep -qx 422"
check "the log has the first ones" test "$(grep -c 'devices.csv:[0-9]*: mac: ' "$tmp/log")" -eq 20
check "and that there are more" grep -q "devices.csv: has more problems: 'tap82 check' lists them" "$tmp/log"
kill "$pid"
wait "$pid"
check "no sanitizer complained" sh -c "! grep -E 'ERROR: |runtime error' '$tmp/log'"
exit "$failures"
