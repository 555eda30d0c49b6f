# SPDX-License-Identifier: ISC
"""Packets by construction, a second time: nothing here knows tests/build_packet.h or tap82's code.

What a test expects follows from the arguments it gave. Addresses are text, ids and payloads bytes.
"""
import socket
import struct

SERVER, RELAY, MAC = "10.30.0.2", "10.20.0.1", bytes.fromhex("00408caabbcc")
EPOCH = 1700000000  # 2023-11-14T22:13:20Z


def ip(text):
    return socket.inet_aton(text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(payload, src=SERVER, dst=RELAY, sport=67, dport=67, sum_=None, length=None):
    """`sum_` 0: none. `length`: a lie."""
    size = 8 + len(payload)
    pseudo = ip(src) + ip(dst) + struct.pack("!BBH", 0, 17, size)
    if sum_ is None:
        head = struct.pack("!HHHH", sport, dport, size, 0)
        sum_ = checksum(pseudo + head + payload) or 0xFFFF
    return struct.pack("!HHHH", sport, dport, length or size, sum_) + payload


def ipv4(payload, src=SERVER, dst=RELAY, protocol=17, ident=0, offset=0, more=0, options=b"", length=None):
    head = 20 + len(options)
    where = more << 13 | offset // 8
    total = head + len(payload) if length is None else length
    first = struct.pack("!BBHHHBB", 0x40 | head // 4, 0, total, ident, where, 64, protocol)
    rest = ip(src) + ip(dst) + options
    return first + struct.pack("!H", checksum(first + b"\0\0" + rest)) + rest + payload


def datagram(payload, src=SERVER, dst=RELAY, sport=67, dport=67):
    return ipv4(udp(payload, src, dst, sport, dport), src, dst)


def fragments(payload, cuts, order=None, **header):
    ends = [0, *cuts, len(payload)]
    parts = [ipv4(payload[a:b], offset=a, more=b < len(payload), **header) for a, b in zip(ends, ends[1:])]
    return [parts[i] for i in (order or range(len(parts)))]


def ethernet(payload, kind=0x800):
    return bytes.fromhex("02000000000a02000000000b") + struct.pack("!H", kind) + payload


def tag(payload, vlan, kind=0x800, priority=0):
    return struct.pack("!HH", priority << 13 | vlan, kind) + payload


def tagged(payload, *vlans, outer=0x8100):
    """`vlans` from the outside in."""
    kind = 0x800
    for vlan in reversed(vlans):
        payload, kind = tag(payload, vlan, kind), 0x8100
    return ethernet(payload, outer)


def gre(payload, kind, flags=0, more=b""):
    return struct.pack("!HH", flags, kind) + more + payload


def option(code, value):
    return bytes([code, len(value)]) + value


def dhcp(options, op=2, xid=0x11223344, mac=MAC, hlen=6, yiaddr="10.20.0.7", giaddr="0.0.0.0",
         sname=b"", file=b"", end=b"\xff"):
    head = struct.pack("!BBBBIHH", op, 1, hlen, 0, xid, 0, 0) + ip("0.0.0.0") + ip(yiaddr)
    head += ip("0.0.0.0") + ip(giaddr) + mac.ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head + bytes.fromhex("63825363") + options + end


def message(kind, *options, **fields):
    return dhcp(option(53, bytes([kind])) + b"".join(options), **fields)


CIRCUIT, REMOTE = bytes.fromhex("000400780105"), bytes.fromhex("0006001122334455")
IDS = option(1, CIRCUIT) + option(2, REMOTE)


def ack(*more):
    """An ACK with option 82, as a relay gets it."""
    options = option(54, ip(SERVER)) + option(51, struct.pack("!I", 600)) + b"".join(more)
    return message(5, options, option(82, IDS), giaddr=RELAY)


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def vendor(number, kind, value):
    return attribute(26, struct.pack("!I", number) + attribute(kind, value))


def radius(code, ident, attributes=b"", authenticator=b"A" * 16):
    return struct.pack("!BBH", code, ident, 20 + len(attributes)) + authenticator + attributes


def pcap(frames, link=1, big=False, nano=False, step=1.0):
    """A frame is bytes, or bytes and their length on the wire. Each is `step` seconds later."""
    order = ">" if big else "<"
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)]
    for i, frame in enumerate(frames):
        data, wire = frame if isinstance(frame, tuple) else (frame, len(frame))
        usec = round(i * step * 1e6)
        fraction = usec % 10**6 * (1000 if nano else 1)
        out += [struct.pack(order + "IIII", EPOCH + usec // 10**6, fraction, len(data), wire), data]
    return b"".join(out)


def pcapng(frames, big=False):
    """Frames are (link type, bytes); each link type has an interface of its own."""
    order = ">" if big else "<"

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    out, links = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)), []
    for i, (link, data) in enumerate(frames):
        if link not in links:
            links.append(link)
            out += block(1, struct.pack(order + "HHI", link, 0, 0))
        usec = EPOCH * 10**6 + i
        head = (links.index(link), usec >> 32, usec & 0xFFFFFFFF, len(data), len(data))
        out += block(6, struct.pack(order + "IIIII", *head) + data)
    return out
