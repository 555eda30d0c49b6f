# SPDX-License-Identifier: ISC
"""A DHCP server in a VLAN, for kernels without VLAN devices: vlan_server.py IFACE VLAN ADDRESS OFFERED.

Offers to every DISCOVER whose frame is tagged with that VLAN, in a frame tagged the same way."""
import socket
import struct
import sys

ETH_ALL, SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 3, 263, 8, 0x10


def tag_of(ancillary):
    """The tag that the kernel took out of the frame (struct tpacket_auxdata), or None."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack_from("I", data)[0], struct.unpack_from("H", data, 16)[0]
            return tci & 0xfff if status & VLAN_VALID else None
    return None


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def offer(request, vlan, source, server, offered):
    """The whole frame; `request` is the BOOTP message."""
    options = bytes([53, 1, 2, 54, 4]) + server + bytes([51, 4]) + struct.pack("!I", 300) + b"\xff"
    body = (b"\x02" + request[1:16] + offered + request[20:236] + b"\x63\x82\x53\x63" + options).ljust(300, b"\0")
    udp = struct.pack("!HHHH", 67, 68, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, server, b"\xff" * 4)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return b"\xff" * 6 + source + struct.pack("!HHH", 0x8100, vlan, 0x0800) + head + udp


interface, vlan = sys.argv[1], int(sys.argv[2])
server, offered = socket.inet_aton(sys.argv[3]), socket.inet_aton(sys.argv[4])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
wire.bind((interface, ETH_ALL))
wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
while True:
    frame, ancillary, _, address = wire.recvmsg(2048, 256)
    untagged = frame[12:14] == b"\x08\x00" and frame[23:24] == b"\x11"
    if untagged and frame[36:38] == b"\x00\x43" and frame[42:43] == b"\x01" and tag_of(ancillary) == vlan:
        wire.send(offer(frame[42:], vlan, wire.getsockname()[4], server, offered))
