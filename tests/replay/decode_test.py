#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""decode_test.py TAP82: what `decode` says of packets whose fields are known by construction (wire.py)."""
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile

from wire import *

TAP82 = sys.argv[1]
TMP = tempfile.TemporaryDirectory()
failed = 0


def path(name, data=None):
    full = os.path.join(TMP.name, name)
    if data is not None:
        with open(full, "wb") as f:
            f.write(data)
    return full


def run(*args, **more):
    return subprocess.run([TAP82, "decode", *args], capture_output=True, timeout=120, **more)


def records(data, *args):
    """One record a message; the data come through a pipe."""
    done = run("--json", *args, "-", input=data)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(name, good, why=""):
    global failed
    print(("ok - " if good else "not ok - ") + name + ("" if good else f": {why}"))
    failed |= not good


def differs(record, expected):
    """The fields of `expected` that are otherwise; None: is not there. "a.b" is inside."""
    wrong = {}
    for key, value in expected.items():
        got = record
        for word in key.split("."):
            got = got.get(word) if isinstance(got, dict) else None
        if got != value:
            wrong[key] = got
    return wrong


def check_each(name, cases, link=1, args=()):
    """`cases`: (what, frame, expected fields). One record each, in order."""
    got = records(pcap([frame for _, frame, _ in cases], link), *args)
    wrong = [(what, differs(r, expected)) for (what, _, expected), r in zip(cases, got) if differs(r, expected)]
    check(f"{name}: {len(cases)} messages", len(got) == len(cases) and not wrong, (len(got), wrong[:3]))


# ---- the way in ----

ACK = {"kind": "dhcp", "type": "ACK", "xid": "11223344", "mac": "00:40:8c:aa:bb:cc", "yiaddr": "10.20.0.7",
       "giaddr": RELAY, "server_id": SERVER, "lease_time": 600, "option82.circuit_id": CIRCUIT.hex(),
       "option82.remote_id": REMOTE.hex(), "src": SERVER, "dst": RELAY, "sport": 67, "dport": 67,
       "malformed": None, "damaged": None, "vlans": None, "encap": None}
PLAIN = datagram(ack())


def outer(payload, protocol=17):
    return ethernet(ipv4(payload, "192.0.2.1", "192.0.2.2", protocol))


def outer_udp(payload, port):
    return outer(udp(payload, "192.0.2.1", "192.0.2.2", 50000, port))


def erspan(version, vlan, frame, words=0, more=b""):
    head = struct.pack("!HHI", version << 12 | vlan, 0, 0)
    if version == 2:
        head += struct.pack("!HH", 0, words) + more
    return outer(gre(head + frame, 0x88BE if version == 1 else 0x22EB, 0x1000, b"\0\0\0\1"), 47)


def label(number, bottom):
    return struct.pack("!I", number << 12 | bottom << 8 | 64)


def pppoe(payload):
    return struct.pack("!HHH", 0x1100, 7, len(payload) + 2) + b"\0\x21" + payload


SNAP = b"\xaa\xaa\3\0\0\0"
VXLAN = struct.pack("!II", 0x08000000, 5000 << 8)
TZSP = b"\1\0\0\1\x0a\1\xd8\0\x29\2\0\0\1"
ETHERNETS = [
    ("plain", ethernet(PLAIN), {}),
    *[(f"tag {kind:#x}", tagged(PLAIN, 120, outer=kind), {"vlans": [120]}) for kind in (0x8100, 0x88A8, 0x9100, 0x9200)],
    ("a priority tag", ethernet(tag(PLAIN, 0, priority=7), 0x8100), {"vlans": [0]}),
    ("a priority tag inside", tagged(PLAIN, 5, 0, outer=0x88A8), {"vlans": [5, 0]}),
    ("QinQ 0x9100", tagged(PLAIN, 7, 120, outer=0x9100), {"vlans": [7, 120]}),
    ("six tags", tagged(PLAIN, 1, 2, 3, 4, 5, 6), {"vlans": [1, 2, 3, 4, 5, 6]}),
    ("SNAP", ethernet(SNAP + b"\x08\0" + PLAIN, 8 + len(PLAIN)), {"encap": ["llc"]}),
    ("a tag in SNAP", ethernet(SNAP + b"\x81\0" + tag(PLAIN, 9), 12 + len(PLAIN)), {"encap": ["llc"], "vlans": [9]}),
    ("MPLS", ethernet(label(100, 0) + label(200, 1) + PLAIN, 0x8847), {"encap": ["mpls"]}),
    ("a pseudowire", ethernet(label(1, 1) + b"\0\0\0\7" + tagged(PLAIN, 3), 0x8847), {"encap": ["mpls"], "vlans": [3]}),
    ("PPPoE", ethernet(pppoe(PLAIN) + b"\0" * 9, 0x8864), {"encap": ["pppoe"]}),
    ("IP options", ethernet(ipv4(udp(ack()), options=b"\x94\4\0\0")), {}),
    ("a trailer", ethernet(PLAIN + b"\x99" * 20), {}),
    ("no checksum", ethernet(ipv4(udp(ack(), sum_=0))), {}),
    ("a wrong checksum", ethernet(ipv4(udp(ack(), sum_=1))), {"damaged": ["udp-checksum"]}),
    ("UDP's length too long", ethernet(ipv4(udp(ack(), length=3000))), {"damaged": ["udp-length"]}),
    ("IP's length too long", ethernet(ipv4(udp(ack()), length=3000)), {"damaged": ["ip-length"]}),
    ("IP's length too short", ethernet(ipv4(udp(ack()), length=60)), {"damaged": ["ip-length"]}),
    ("GRE", outer(gre(PLAIN, 0x800, 0xB000, b"\0" * 12), 47), {"encap": ["gre"]}),
    ("GRE of Ethernet", outer(gre(tagged(PLAIN, 4), 0x6558), 47), {"encap": ["gre"], "vlans": [4]}),
    ("GRE of MPLS", outer(gre(label(1, 1) + PLAIN, 0x8847), 47), {"encap": ["gre", "mpls"]}),
    ("ERSPAN I", outer(gre(ethernet(PLAIN), 0x88BE), 47), {"encap": ["gre", "erspan"]}),
    ("ERSPAN II", erspan(1, 120, ethernet(PLAIN)), {"encap": ["gre", "erspan"], "vlans": [120]}),
    ("ERSPAN III", erspan(2, 7, ethernet(PLAIN)), {"encap": ["gre", "erspan"], "vlans": [7]}),
    ("ERSPAN III, platform", erspan(2, 7, ethernet(PLAIN), 1, b"\0" * 8), {"encap": ["gre", "erspan"], "vlans": [7]}),
    ("ERSPAN III of IP", erspan(2, 7, PLAIN, 2 << 10), {"encap": ["gre", "erspan"]}),
    ("VXLAN", outer_udp(VXLAN + tagged(PLAIN, 9), 4789), {"encap": ["vxlan"], "vlans": [9]}),
    ("TZSP", outer_udp(TZSP + ethernet(PLAIN), 37008), {"encap": ["tzsp"]}),
    ("IP in IP", outer(PLAIN, 4), {"encap": ["ipip"]}),
    ("three tunnels", outer_udp(VXLAN + outer(gre(ipv4(PLAIN, protocol=4), 0x800), 47), 4789),
     {"encap": ["vxlan", "gre", "ipip"]}),
]
SLL = struct.pack("!HHH", 0, 1, 6) + b"\0" * 8
SLL2 = struct.pack("!HIHBB", 0, 2, 1, 0, 6) + b"\0" * 8
LINKS = [(101, b""), (12, b""), (228, b""), (0, b"\2\0\0\0"), (0, b"\0\0\0\2"), (108, b"\0\0\0\2"),
         (9, b"\xff\3\0\x21"), (9, b"\0\x21"), (9, b"\x21"), (50, b"\xff\3\x21"), (113, SLL + b"\x08\0"),
         (276, b"\x08\0" + SLL2)]


def test_frames():
    check_each("every encapsulation", [(what, frame, ACK | more) for what, frame, more in ETHERNETS])
    for link, head in LINKS:
        check_each(f"link type {link} {head.hex()}", [("raw", head + PLAIN, ACK)], link)
    check_each("a tag behind SLL", [("", SLL + b"\x81\0" + tag(PLAIN, 120), ACK | {"vlans": [120]})], 113)
    check_each("tags behind SLL2", [("", b"\x88\xa8" + SLL2 + tag(tag(PLAIN, 2), 1, 0x8100), ACK | {"vlans": [1, 2]})], 276)
    for big in (False, True):
        got = [records(pcap([ethernet(PLAIN)], big=big, nano=nano, step=0.5)) for nano in (False, True)]
        check(f"pcap, both units, big-endian {big}", got[0] == got[1] and not differs(got[0][0], ACK), got)
        got = records(pcapng([(1, ethernet(PLAIN)), *[(link, head + PLAIN) for link, head in LINKS]], big))
        check(f"pcapng of every link type, big-endian {big}",
              len(got) == 1 + len(LINKS) and not any(differs(r, ACK) for r in got), got)
    snapped = records(pcap([(ethernet(PLAIN)[:200], len(ethernet(PLAIN)))]))
    check("a snapped packet gives what is there", snapped[0]["damaged"] == ["snapped"] and "mac" in snapped[0], snapped)


# ---- fragments, and what -w writes ----

BIG = udp(ack(*[option(224, b"z" * 250)] * 4))


def nested(first, second):
    """A datagram in two fragments, each in a GRE tunnel whose packets are in two fragments."""
    inner = [gre(part, 0x800) for part in fragments(BIG, (800,), ident=5)]
    ends = {"src": "192.0.2.1", "dst": "192.0.2.2", "protocol": 47}
    return [ethernet(p) for i, part in enumerate(inner)
            for p in fragments(part, (400,), ident=9 + i, order=(first, second), **ends)]


def interleaved():
    """The packets of both tunnels' fragments in turns."""
    a, b, c, d = nested(0, 1)
    return [a, c, b, d]


def test_fragments():
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        got = records(pcap([tagged(f, 120) for f in fragments(BIG, (400, 800), order)]))
        check(f"fragments in order {order}", len(got) == 1 and not differs(got[0], ACK | {"vlans": [120]}), got)
    for name, frames in (("both layers", nested(1, 0)), ("both layers in turns", interleaved())):
        got = records(pcap(frames))
        check(f"fragments in {name}", len(got) == 1 and not differs(got[0], ACK | {"encap": ["gre"]}), got)
    first, last = (ethernet(f) for f in fragments(BIG, (400,)))
    got = records(pcap([first, ethernet(PLAIN), ethernet(PLAIN)], step=20))
    check("what is missing for 30 s is told then, not at the end",
          [r.get("damaged") for r in got] == [None, ["fragments"], None], got)


LOST = [ethernet(fragments(BIG, (400, 800), ident=3)[i]) for i in (0, 2, 0)]
CAPTURES = {
    "fragments": pcap([tagged(f, 120) for f in fragments(BIG, (400, 800), (2, 0, 1))] + [ethernet(PLAIN)]),
    "repeated fragments": pcap([ethernet(f) for f in fragments(BIG, (400, 800), (0, 0, 2, 1))]),
    "fragments in fragments": pcap(nested(0, 1) + [ethernet(PLAIN)]),
    "fragments in turns": pcap(interleaved()),
    "a datagram that lacks a fragment": pcap(LOST + [ethernet(PLAIN)], step=0.25),
    "one that lacks a fragment for long": pcap(LOST + [ethernet(PLAIN)] * 2, step=20),
    "link type 101": pcap([*fragments(BIG, (400,)), PLAIN], 101),
    "link type 276": pcap([b"\x08\0" + SLL2 + f for f in fragments(BIG, (400,))], 276),
    "pcapng of one link type": pcapng([(113, SLL + b"\x08\0" + f) for f in fragments(BIG, (400,))]),
}


def writes_the_same(name, data, *args):
    copy = path("copy.pcap")
    first = run("--json", *args, "-w", copy, "-", input=data)
    again = run("--json", copy)
    check(f"-w {name}: the file decodes to the same records",
          first.returncode == 0 and first.stdout and first.stdout == again.stdout, (first.stderr, again.stderr))
    return open(copy, "rb").read()


def test_writing():
    for name, data in CAPTURES.items():
        copy = writes_the_same(name, data)
        if data[:4] == copy[:4] and "lacks" not in name:  # every packet is of a message, and so written
            check(f"-w {name}: every packet of a message is there", copy == data)
    noise = ethernet(datagram(b"\x80" * 200, sport=5004, dport=5004))
    wanted = [ethernet(f) for f in fragments(BIG, (400,))]
    frames = [noise, *wanted, ethernet(datagram(message(1), sport=68))]
    copy = writes_the_same("--filter option82", pcap(frames), "--filter", "option82")
    check("-w --filter: nothing else is there", copy == pcap([b"", *wanted])[:24] + pcap([b"", *wanted])[40:])


def test_several_links():
    data = pcapng([(1, ethernet(f)) for f in fragments(BIG, (400,))] + [(101, PLAIN), (1, ethernet(PLAIN))])
    done = run("--json", "-w", path("several.pcap"), "-", input=data)
    check("-w of several link types as pcap is an error that says what to do",
          done.returncode == 1 and b"name it *.pcapng" in done.stderr, done.stderr)
    done = run("--json", "-w", path("several.pcapng"), "-", input=data)
    again = run("--json", path("several.pcapng"))
    check("-w of several link types as pcapng decodes to the same",
          done.returncode == 0 and len(done.stdout.splitlines()) == 3 and done.stdout == again.stdout, done.stderr)
    run("--filter", "radius", "-w", path("none.pcapng"), path("several.pcapng"))
    check("-w of no message is an empty capture", run(path("none.pcapng")).returncode == 0)


def test_where_writing_goes():
    data = pcap([ethernet(PLAIN)])
    source = path("source.pcap", data)
    os.symlink(source, path("link.pcap"))
    for name in (source, path("link.pcap")):
        done = run("-w", name, source)
        check(f"-w {os.path.basename(name)} onto what is read is refused, and the file is whole",
              done.returncode == 1 and b"it is the capture that is read" in done.stderr
              and open(source, "rb").read() == data, done.stderr)
    with open(source, "rb") as f:
        done = run("-w", source, "-", stdin=f)
    check("also where it is standard input", done.returncode == 1 and open(source, "rb").read() == data)
    done = run("--json", "-w", "-", source)
    check("-w - gives the capture and nothing else", done.returncode == 0 and done.stdout == data, done.stdout[-80:])
    check("-w - with --stats is wrong usage", run("--stats", "-w", "-", source).returncode == 2)


# ---- DHCP and option 82 ----

TYPES = ("DISCOVER OFFER REQUEST DECLINE ACK NAK RELEASE INFORM FORCERENEW LEASEQUERY LEASEUNASSIGNED LEASEUNKNOWN "
         "LEASEACTIVE BULKLEASEQUERY LEASEQUERYDONE ACTIVELEASEQUERY LEASEQUERYSTATUS TLS").split()
SUB_OPTIONS = [
    (4, b"\0\0\0\1", {"docsis_device_class": 1}), (5, ip("10.1.2.3"), {"link_selection": "10.1.2.3"}),
    (6, b"sub", {"subscriber_id": "737562", "subscriber_id_text": "sub"}),
    (7, attribute(1, b"bob") + attribute(87, b"Gi1"), {"radius": {"user": "bob", "nas_port_id": "Gi1"}}),
    (9, struct.pack("!IB", 9, 2) + b"ab", {"vendor": [{"enterprise": 9, "data": "6162", "data_text": "ab"}]}),
    (10, b"\x80", {"flags": 128}), (11, ip("1.2.3.4"), {"server_override": "1.2.3.4"}),
    (12, b"\0\3\0\1", {"relay_id": "00030001"}), (13, b"\0\4", {"access_technology": 4}),
    (14, b"net", {"network_name": "net"}), (15, b"ap", {"access_point_name": "ap"}),
    (16, MAC, {"access_point_bssid": "00:40:8c:aa:bb:cc"}), (17, struct.pack("!I", 3561), {"operator_id": 3561}),
    (18, b"r.example", {"operator_realm": "r.example"}), (19, b"", {"relay_port": ""}),
    (150, ip("9.9.9.9"), {"cisco_link_selection": "9.9.9.9"}), (151, b"\0A", {"vss": {"type": 0, "vpn": "41", "vpn_text": "A"}}),
    (152, b"", {"vss_control": ""}), (152, ip("9.9.9.8"), {"cisco_server_override": "9.9.9.8"}),
    (77, b"\1\2", {"sub_77": "0102"}), (1, b"", {"circuit_id": ""}),
]


def dhcp_cases():
    split = {"option82.raw": IDS.hex(), "option82.remote_id": REMOTE.hex(), "malformed": None}
    for i, name in enumerate(TYPES):
        yield name, message(i + 1), {"type": name, "malformed": None}
    for hlen in range(17):
        yield (f"hlen {hlen}", message(5, mac=bytes(range(1, 17)), hlen=hlen),
               {"mac": "01:02:03:04:05:06" if hlen == 6 else None, "malformed": None,
                "chaddr": None if hlen in (0, 6) else bytes(range(1, 17))[:hlen].hex()})
    for cut in range(1, len(IDS)):
        yield f"split at {cut}", message(5, option(82, IDS[:cut]), option(12, b"cam"), option(82, IDS[cut:])), split
    for cut in range(1, 12):
        yield (f"over three places, {cut}",
               message(5, option(52, b"\3"), option(82, IDS[:cut]), file=option(82, IDS[cut:cut + 5]) + b"\xff",
                       sname=option(82, IDS[cut + 5:]) + b"\xff"), split)
    yield "option 82 first", dhcp(b"\0" * 7 + option(82, IDS) + b"\0" * 3 + option(53, b"\5")), split | {"type": "ACK"}
    yield "no END", message(5, option(82, IDS), end=b""), split | {"malformed": "no END option"}
    yield "0xff to the end", message(5, option(82, IDS), end=b"\xff" * 60), split
    yield "junk behind END", message(5, option(82, IDS), end=b"\xff\1\2\3\x52\x09"), split
    for code, value, fields in SUB_OPTIONS:
        raw = option(code, value)
        yield f"sub-option {code}", message(5, option(82, raw)), {"option82": {"raw": raw.hex()} | fields, "malformed": None}


def test_dhcp():
    check_each("DHCP", [(what, ethernet(datagram(m)), fields) for what, m, fields in dhcp_cases()])
    ports = [(67, 68), (68, 67), (4011, 68), (68, 4011), (12345, 67), (67, 12345)]
    check_each("ports", [(str(p), ethernet(datagram(ack(), sport=p[0], dport=p[1])), {"sport": p[0], "dport": p[1]}) for p in ports])


# ---- RADIUS ----

NAS, AUTH = "10.1.1.1", "10.2.2.2"
SPELLINGS = ["00-40-8C-AA-BB-CC", "00:40:8c:aa:bb:cc", "0040.8caa.bbcc", "00408caabbcc", "00408CAABBCC", "0040-8CAA-BBCC",
             "00408c-aabbcc", "00408c.aabbcc", "00 40 8C AA BB CC", "00.40.8c.aa.bb.cc", "0040:8caa:bbcc"]
OTHERS = ["+4930123456", "192.168.100.100", "10.20.30.40", "192.168.1.1:5060", "00:40:8c:aa:bb", "00408caabbccdd", "sip:a@b"]


def asked(code, ident, attributes=b"", authenticator=b"A" * 16):
    return ethernet(datagram(radius(code, ident, attributes, authenticator), NAS, AUTH, 40000, 1812))


def answered(code, ident):
    return ethernet(datagram(radius(code, ident, b"", b"R" * 16), AUTH, NAS, 1812, 40000))


def test_radius():
    mac = {"mac": "00:40:8c:aa:bb:cc"}
    check_each("spellings of a MAC", [(s, asked(1, i, attribute(31, s.encode())), mac) for i, s in enumerate(SPELLINGS)])
    check_each("what is no MAC", [(s, asked(1, i, attribute(31, s.encode())), {"mac": None}) for i, s in enumerate(OTHERS)])
    ports = (1812, 1813, 1645, 1646, 3799, 1700)
    check_each("RADIUS' ports", [(p, ethernet(datagram(radius(4, 1), NAS, AUTH, 40000, p)), {"kind": "radius"}) for p in ports])

    def of(number):
        return attribute(31, b"00408c0000%02d" % number)

    got = records(pcap([asked(1, 1, of(1)), asked(1, 2, of(2)), answered(2, 2), answered(3, 1), answered(5, 2),
                        asked(1, 1, of(3), b"B" * 16), answered(11, 1)]))
    check("a reply has the MAC of its request, by id, code and the newest authenticator",
          [r.get("mac", "")[-2:] for r in got] == ["01", "02", "02", "01", "", "03", "03"], got)


SECRET = b"SECRETSECRET1234"
SECRETS = b"".join([
    *[attribute(kind, SECRET) for kind in (2, 3, 24, 60, 69, 70, 74, 79, 80, 84, 102, 103, 121, 143)],
    *[vendor(311, kind, SECRET) for kind in (1, 2, 11, 12, 16, 17, 25, 26)], vendor(9, 1, b"shell:password=SECRET"),
    attribute(241, b"\x1a" + struct.pack("!IB", 311, 16) + SECRET),
    attribute(245, b"\x1a\x80" + struct.pack("!IB", 311, 16) + SECRET * 14), attribute(245, b"\x1a\0" + SECRET * 15)])


def test_secrets():
    data = pcap([asked(1, 1, SECRETS), answered(2, 1)])
    for args in ((), ("-v",), ("--json",), ("--json", "-v")):
        out = run(*args, "-", input=data).stdout
        check(f"no secret in the output of {args}", out and b"SECRET" not in out and SECRET.hex().encode() not in out, out)


# ---- views ----

def said(kind, server=None, mac=MAC, xid=1, address="0.0.0.0", requested=None):
    """A client's message, or with `server` a server's."""
    options = (option(54, ip(server)) if server else b"") + (option(50, ip(requested)) if requested else b"")
    reply = kind in (2, 5, 6)
    ends = (server, "255.255.255.255", 67, 68) if reply else ("0.0.0.0", "255.255.255.255", 68, 67)
    return ethernet(datagram(message(kind, options, op=2 if reply else 1, mac=mac, xid=xid, yiaddr=address), *ends))


def ladder(frames, step=1.0):
    done = run("--ladder", "--json", "-", input=pcap(frames, step=step))
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ladder():
    one, two = "10.0.0.1", "10.0.0.2"
    got = ladder([said(1), said(1), said(2, one, address="10.20.0.5"), said(2, two, address="10.20.0.6"),
                  said(3, one, xid=7, requested="10.20.0.5"), said(5, one, xid=7, address="10.20.0.5")])
    check("ladder: two servers, a retransmission, a REQUEST with another xid", len(got) == 1 and not differs(
        got[0], {"outcome": "ack", "ip": "10.20.0.5", "server_id": one, "servers": 2, "retransmissions": 1,
                 "duration_ms": 5000}), got)
    check("ladder: delays", [s["delay_ms"] for s in got[0]["steps"]] == [0, 1000, 1000, 1000, 1000, 1000], got)
    outcomes = [ladder(f)[0]["outcome"] for f in ([said(3, requested="10.20.0.9"), said(6, one)], [said(1)], [said(3)],
                                                  [said(1), said(2, one)], [said(3), said(5, one), said(4)])]
    check("ladder: refused, no offer, no answer, no request, declined",
          outcomes == ["nak", "no-offer", "no-answer", "no-request", "declined"], outcomes)
    got = ladder([said(1), said(5, one, address="10.20.0.5")] * 2, step=100)
    check("ladder: a minute and more between retransmissions are one transaction", len(got) == 1, got)
    got = ladder([said(1)] * 2, step=3600)
    check("ladder: the same xid an hour later is another one", len(got) == 2, got)


def test_ladder_is_bounded():
    many = 20000
    flood = [ethernet(datagram(message(5, xid=1), f"10.0.{i >> 8}.{i & 255}")) for i in range(many)]
    other = [said(1, xid=i) for i in range(many)]
    check("ladder: a flood in one transaction is cut into many", len(ladder(flood, 0.001)) == -(-many // 256))
    check("ladder: a flood of transactions of one camera ends", len(ladder(other, 0.001)) == many)


def on_terminal(*args, reader, stdin=None):
    """What a terminal shows of standard error, while `reader` is where the records go."""
    master, slave = pty.openpty()
    sink = subprocess.Popen(reader, shell=True, stdin=subprocess.PIPE)
    decode = subprocess.Popen([TAP82, "decode", *args], stdin=stdin, stdout=sink.stdin, stderr=slave)
    os.close(slave)
    sink.stdin.close()
    shown = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # its last user is gone
            break
        if not more:
            break
        shown += more
    os.close(master)
    return decode.wait(60), sink.wait(60), shown.decode()


def test_progress():
    frame = ethernet(PLAIN)
    count = (33 << 20) // len(frame)  # more than is read at once
    big, small = path("big.pcap", pcap([frame] * count, step=0.001)), path("small.pcap", pcap([frame] * 400))
    slow = "sleep 0.8; cat > /dev/null"
    code, _, shown = on_terminal("--json", big, reader=slow)
    lines = [line for line in shown.split("\r") if "%" in line]
    percents = [int(line.split(" %")[0]) for line in lines]
    check("progress: a line with percents, packets, rate, time left and file that is written over",
          code == 0 and percents and percents == sorted(percents) and percents[-1] <= 100
          and all(" packets, " in line and "/s, " in line and " left: /" in line for line in lines), shown)
    check("progress: it is gone at the end", shown.endswith("\r\x1b[K"), shown[-20:])
    check("progress: none for what is over at once", on_terminal("--json", small, reader="cat > /dev/null")[2] == "")
    with open(big, "rb") as f:
        cat = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
        shown = on_terminal("--json", "-", reader=slow, stdin=cat.stdout)[2]
        check("progress: of a pipe, whose end is not known, packets and rate",
              "%" not in shown and " packets, " in shown and "/s: -" in shown, shown)
        cat.wait(60)
    done = subprocess.run(f"'{TAP82}' decode --json '{big}' | ({slow})", shell=True, capture_output=True, timeout=120)
    check("progress: none where standard error is no terminal", done.stderr == b"", done.stderr[:80])


for test in (test_frames, test_fragments, test_writing, test_several_links, test_where_writing_goes, test_dhcp, test_radius,
             test_secrets, test_ladder, test_ladder_is_bounded, test_progress):
    test()
sys.exit(failed)
