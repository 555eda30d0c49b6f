#!/bin/sh
# SPDX-License-Identifier: ISC
# The page of replay --report: one file, nothing fetched, nothing from the wire left unescaped, the
# same bytes each time. test_report.sh BUILD
set -u

build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

check() {
  name=$1
  shift
  if "$@" > "$tmp/out" 2>&1; then
    echo "ok - report: $name"
  else
    echo "not ok - report: $name: $(head -c 300 "$tmp/out")"
    failed=1
  fi
}
report() {
  out=$1
  shift
  "$build/tap82" replay -c tests/replay/conf/lab.ini --report "$out" "$@" > /dev/null
}
says() { grep -q "$1" "$tmp/a.html"; }
says_not() { ! grep -qiE "$1" "$tmp/a.html"; }
before() {
  awk -v a="$1" -v b="$2" 'index($0, a) && !x {x = NR} index($0, b) && !y {y = NR} END {exit !(x && y && x < y)}' "$tmp/a.html"
}
# Each camera's ladder, and the lines in it whose time is before the one above.
is_in_order() {
  python3 - "$tmp/a.html" << 'PYTHON'
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
ladders = [re.findall(r'<tr class="row"><td>(.*?)</td>', part) for part in page.split("<details")[1:]]
back = [(a, b) for times in ladders for a, b in zip(times, times[1:]) if b < a]
sys.exit(f"{len(ladders)} ladders, {len(back)} steps back: {back[:3]}" if back or not any(ladders) else 0)
PYTHON
}
is_well_formed() {
  python3 - "$1" << 'PYTHON'
import html.parser, sys
void = {"meta", "br", "link", "img", "hr", "input", "path", "circle"}
class Check(html.parser.HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        if tag == "script" or any(k.startswith("on") or k in ("src", "srcset") for k, v in attrs):
            sys.exit(f"active content: {tag} {attrs}")
        if any(k == "href" and not v.startswith("#") for k, v in attrs):
            sys.exit(f"leads away: {attrs}")
        if tag not in void:
            self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag in void:
            return
        if not self.stack or self.stack.pop() != tag:
            sys.exit(f"</{tag}> closes nothing, line {self.getpos()[0]}")
page = Check()
page.feed(open(sys.argv[1], encoding="utf-8").read())
sys.exit("left open: " + " ".join(page.stack) if page.stack else 0)
PYTHON
}

report "$tmp/a.html" pcaps/scenes/port-shared.pcap pcaps/scenes/unknown-relay.pcap
report "$tmp/b.html" pcaps/scenes/port-shared.pcap pcaps/scenes/unknown-relay.pcap
check "the same captures give the same bytes" cmp "$tmp/a.html" "$tmp/b.html"
check "it is well-formed, without script, and leads nowhere" is_well_formed "$tmp/a.html"
check "its policy lets it fetch nothing" says "default-src 'none'"
check "problems stand first" before '<h2>Problems (' '<h2>Timeline'
check "severity has a shape beside its colour" says 'class="warning">&#9650; '
check "a shared port is a problem" says 'Port. Shared by Several Cameras'
check "every camera has its ladder" says '<b>DISCOVER</b>'
report "$tmp/a.html" pcaps/scenes/replacement.pcap
check "a hold's end was between two packets" says 'streams.hold_ended'
check "a ladder goes down in time" is_in_order
report "$tmp/a.html" pcaps/scenes/restart.pcap
check "a ladder says how the camera asked" says 'REQUEST</b> <span class="facts">renewing</span>'
report "$tmp/a.html" pcaps/scenes/radius-mismatch.pcap
check "both places of a mismatch are told" says 'option 82: .*; RADIUS: '
report "$tmp/a.html" pcaps/scenes/address-taken.pcap
check "ports are listed with their cameras" sh -c "sed -n '/<h2>Ports/,\$p' '$tmp/a.html' | grep -q 'circuit-id eth0/2'"
check "it says what a person can do" says 'reservations release'

# A circuit-id that is markup, in a frame of its own.
python3 - "$tmp/evil.pcap" << 'PYTHON'
import struct, sys
evil = b'"><script>alert(1)</script><img src=//x onerror=alert(1)>'
o82 = bytes([1, len(evil)]) + evil
opts = bytes.fromhex("63825363350105360400000000").replace(b"\0\0\0\0", bytes([10, 99, 0, 1]))
opts += bytes([82, len(o82)]) + o82 + b"\xff"
dhcp = struct.pack("!BBBBIHH4s4s4s4s16s192x", 2, 1, 6, 1, 7, 0, 0, b"\0" * 4, bytes([10, 50, 0, 21]),
                   b"\0" * 4, bytes([10, 50, 0, 1]), bytes([2, 0, 0, 0, 0, 1])) + opts
udp = struct.pack("!HHHH", 67, 67, 8 + len(dhcp), 0) + dhcp
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([10, 99, 0, 1]), bytes([10, 50, 0, 1]))
s = sum(struct.unpack("!10H", ip))
s = (s & 0xffff) + (s >> 16)
ip = ip[:10] + struct.pack("!H", ~(s + (s >> 16)) & 0xffff) + ip[12:]
frame = b"\2" * 12 + b"\x08\0" + ip + udp
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    f.write(struct.pack("<IIII", 1767600000, 0, len(frame), len(frame)) + frame)
PYTHON
report "$tmp/a.html" "$tmp/evil.pcap"
check "markup on the wire is text in the page" says '&lt;script&gt;alert(1)'
check "and nothing of it is markup" is_well_formed "$tmp/a.html"
check "no tag of it survives" says_not '<script|<img'
check "a page that can't be written is an error" sh -c \
  "! '$build/tap82' replay -c tests/replay/conf/lab.ini --report /nonexistent/r.html pcaps/scenes/move.pcap"
exit $failed
