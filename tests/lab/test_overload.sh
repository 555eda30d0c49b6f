#!/bin/sh
# SPDX-License-Identifier: ISC
# More than can be done: an engine that stands still while renewals pour in, a flood of invented MACs
# and of garbage. What may be let go is let go and counted, a first ACK never is, and known cameras
# are served in between.
#
# TAP82_SOAK=1: a minute of flood on the wire, and 10^8 frames through decoder and engine in one
# process. FLOOD_SECONDS and FLOOD_FRAMES choose.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

if [ -n "${TAP82_SOAK:-}" ]; then
  seconds=${FLOOD_SECONDS:-60} frames=${FLOOD_FRAMES:-100000000}
else
  seconds=${FLOOD_SECONDS:-5} frames=${FLOOD_FRAMES:-1000000}
fi
first=50

ask_api() { curl -sf --max-time 20 --unix-socket "$tmp/state/tap82.sock" "http://localhost$1"; }
metric() { ask_api /metrics | awk -v name="$1" '$1 ~ "^" name "[{]?" { sum += $2 } END { printf "%d", sum }'; }
memory_of() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
provisioned() { ask_api /v1/status | jq -e ".tables.provisioned == $1" > /dev/null; }
inject() { on_relay "$build/lab/inject" v0 "$@" > "$tmp/inject.out" 2>&1; }
nothing_dropped() { [ "$(metric tap82_capture_drops_total)" -eq 0 ] || { metric tap82_capture_drops_total && false; }; }
# The sniffer has told what it had counted: nothing more for two seconds.
caught_up() { [ "$(metric tap82_capture_packets_total)" = "$(sleep 2 && metric tap82_capture_packets_total)" ]; }
something_shed() { [ "$(metric tap82_capture_shed_total)" -gt 0 ]; }
makes() { "$camsim" --quiet --write "$tmp/$1" --script - > "$tmp/made.out" || lab_die "$1: $(cat "$tmp/made.out")"; }
asks() { cameras --timeout 20s dora "mac=$1" relay=10.50.0.1 "circuit=eth1/$2" remote=sw-8 > "$tmp/cameras.out"; }
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"$1\""; }

# What no camera says: frames of scenes with every kind of damage, and random bytes on DHCP's ports.
make_garbage() {
  python3 - "$tmp/garbage.pcap" << 'PYTHON'
import random, struct, sys
random.seed(82)
out = open(sys.argv[1], "wb")
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
mac = lambda: random.randbytes(6)
def udp(sport, dport, payload, proto=17, frag=0):
    u = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(u), random.getrandbits(16), frag, 64, proto, 0,
                     bytes([10, 99, 0, random.choice([1, 2, 77])]), random.randbytes(4))
    s = sum(struct.unpack(">10H", ip)); s = (s & 0xffff) + (s >> 16); s = (s & 0xffff) + (s >> 16)
    return ip[:10] + struct.pack(">H", ~s & 0xffff) + ip[12:] + u
def dhcp(op, kind, yiaddr=b"\0\0\0\0", server=None):
    m = struct.pack(">BBBBIHH", op, 1, 6, 0, random.getrandbits(32), 0, 0) + b"\0" * 4 + yiaddr + b"\0" * 4
    m += bytes([10, 50, 0, 1]) + mac() + b"\0" * 10 + b"\0" * 192 + bytes([99, 130, 83, 99, 53, 1, kind])
    if server: m += b"\x36\x04" + server + b"\x33\x04\0\0\x0e\x10"
    return m + b"\x52\x0c\x01\x04" + random.randbytes(4) + b"\x02\x04" + random.randbytes(4) + b"\xff"
kinds = [
    lambda: udp(68, 67, dhcp(1, random.choice([1, 3]))),
    lambda: udp(67, 67, dhcp(2, 5, bytes([10, 50, 0, random.randrange(256)]), bytes([10, 99, 0, 1]))),
    lambda: udp(67, 67, dhcp(2, 5, random.randbytes(4), random.randbytes(4))),
    lambda: udp(67, 68, random.randbytes(random.randrange(400))),
    lambda: udp(68, 67, dhcp(1, random.randrange(256))[:random.randrange(300)]),
    lambda: udp(67, 67, dhcp(2, 5)[:240] + random.randbytes(200)),
    lambda: udp(1645, 1813, random.randbytes(random.randrange(300))),
    lambda: udp(67, 67, random.randbytes(40), frag=random.choice([0x2000, 0x2005, 5])),
]
for i in range(40000):
    frame = mac() + mac() + b"\x08\x00" + random.choice(kinds)()
    out.write(struct.pack("<IIII", 1700000000, i, len(frame), len(frame)) + frame)
PYTHON
}

lab_init "${1:?test_overload.sh BUILD}"
trap 'umount "$tmp/small" 2> /dev/null; lab_cleanup' EXIT
lab_net
lab_range="10.50.0.10 10.50.0.60"
lab_dhcpd_conf
{
  echo mac,serial_number
  for n in $(seq 1 $((first + 20))); do printf '02:00:00:00:00:%02x,SN-%d\n' "$n" "$n"; done
} | lab_devices
lab_tap82_conf
mkdir "$tmp/small"
mount -t tmpfs -o size=256m,mode=777 tmpfs "$tmp/small" || lab_die "cannot mount"
sed -i "s|^state .*|state = $tmp/small/tap82.db|" "$tmp/tap82.ini"
cat >> "$tmp/tap82.ini" << CONF
[capture second]
interface = cap0
buffer    = 128M
CONF
ip -n "$relay_ns" link add v0 type veth peer name cap0 netns "$server_ns"
ip -n "$relay_ns" link set v0 up
ip -n "$server_ns" link set cap0 up
lab_dhcpd
lab_tap82

# One camera renews again and again, 30 000 times; the others, in between, for the first time.
makes renewals.pcap << SIM
default mac=02:00:00:00:00:41 relay=10.20.0.1 give=10.20.9.1
@0s dora
@1s renew ip=10.20.9.1
SIM
"$camsim" --quiet --write "$tmp/first.pcap" --pool 10.20.8.1 dora mac=02:00:00:00:00:01 count=$first rate=1000 relay=10.20.0.1 \
  circuit=eth0/%d remote=sw-7 > /dev/null
"$tap82" decode --filter dhcp -w "$tmp/some.pcap" "$tmp/renewals.pcap" > /dev/null
python3 - "$tmp/some.pcap" "$tmp/first.pcap" "$tmp/storm.pcap" "$first" << 'PYTHON'
import struct, sys
def frames(path):
    data = open(path, "rb").read(); at = 24; out = []
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at + 16:at + 16 + n]); at += 16 + n
    return data[:24], out
head, renew = frames(sys.argv[1]); _, first = frames(sys.argv[2])
renew = [f for f in renew if f[54:58] != b"\0" * 4]          # ciaddr: after Ethernet, IP, UDP, 12 of DHCP
assert len(renew) == 2, len(renew)
out = open(sys.argv[3], "wb"); out.write(head)
def put(f): out.write(struct.pack("<IIII", 1700000000, 0, len(f), len(f)) + f)
for i in range(15000):
    for f in renew: put(f[:46] + struct.pack(">I", 0x10000 + i) + f[50:])   # another xid
    if i % (15000 // len(first)) == 0 and first: put(first.pop(0))
for f in first: put(f)
PYTHON

kill -STOP "$tap82_pid"
inject "$tmp/storm.pcap" 20000
kill -CONT "$tap82_pid"
check "the engine stood still: every camera that came for the first time is provisioned" wait_for 20 provisioned $((first + 1))
check "renewals were let go, and counted" wait_for 5 something_shed
check "the kernel dropped nothing" nothing_dropped

make_garbage
sleep 1
before=$(memory_of "$tap82_pid")
sniffers=$(lab_family)
events_before=$(event_count true)
inject "$tmp/garbage.pcap" 100000 "$seconds" vary &
flood=$!
sleep 2
check "in the flood a known camera gets its address" asks 02:00:00:00:00:42 1
check "and is provisioned" wait_for 10 handed_over 02:00:00:00:00:42
wait "$flood"
wait_for 60 caught_up
echo "    flood: $(cat "$tmp/inject.out"); $(metric tap82_capture_packets_total) packets taken, $(metric tap82_capture_drops_total) dropped, $(metric tap82_capture_shed_total) shed"
echo "    flood: engine $before KiB before, $(memory_of "$tap82_pid") KiB after; events $events_before before, $(event_count true) after; $(metric tap82_unknown_untold_total) counted only"
check "the same processes are at work" test "$(lab_family)" = "$sniffers"
asks 02:00:00:00:00:43 2
check "after it a camera is provisioned" wait_for 10 handed_over 02:00:00:00:00:43
# The tables of MACs and exchanges are full then: some 50 MB.
check "memory is bounded" test "$(memory_of "$tap82_pid")" -lt $((before + 90000))
check "events of the flood are limited" test "$(event_count '.event == "device.unknown"')" -le $((16384 + 10 * (seconds + 60)))
check "lines of the log, too" test "$(wc -l < "$tmp/tap82.log")" -le $((60 * (seconds + 60)))
check "a stranger's server is told of, not each one" test "$(event_count '.event == "dhcp.unknown_server"')" -le 4096

# The store takes nothing while renewals pour in: what waits for it is bounded, and what comes behind
# it waits in the sniffer.
waiting() { metric tap82_store_waiting_bytes; }
shed=$(metric tap82_capture_shed_total)
dd if=/dev/zero of="$tmp/small/fill" bs=64k 2> /dev/null
inject "$tmp/storm.pcap" 20000 8 xid
asks 02:00:00:00:00:44 3
check "the store is full: 64 MiB wait for it" test "$(waiting)" -gt 60000000
check "and hardly more" test "$(waiting)" -lt 75000000
rm "$tmp/small/fill"
check "room again: who came for the first time meanwhile is provisioned without a new ACK" \
  wait_for 60 handed_over 02:00:00:00:00:44
wait_for 20 caught_up
check "renewals were let go meanwhile" test "$(metric tap82_capture_shed_total)" -gt "$shed"

# The same frames with another MAC each, in a loop.
of_line() { sed -n "$1s/.* \([0-9]*\) $2.*/\1/p" "$tmp/flood.out"; }
check "the loop: a camera is served all the while" "$build/lab/flood" "$tmp/garbage.pcap" "$frames"
cp "$tmp/check.out" "$tmp/flood.out"
sed -n 's/^/    /; 1p; $!{h; d}; x; p; x; p' "$tmp/flood.out"
# A table of unknown MACs may double its buckets by bad luck: 1 MiB.
check "the loop: memory has not grown since its tables were full" test "$(of_line 10 KiB)" -le $(($(of_line 2 KiB) + 4096))
exit "$lab_failures"
