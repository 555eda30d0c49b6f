#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A bad line to a good dhcpd: passes OMAPI on to the real one and spoils it as FILE says.

  faulty_line.py PORT ADDRESS FILE

FILE holds one word, read for each chunk of bytes:
  pass      nothing is spoilt
  deaf      questions after the login do not reach dhcpd
  mute      they do, and dhcpd's answers are lost
  closes    the question reaches dhcpd, the connection is closed
  some      the same, when two questions after the login were answered
  resets    the same with a RST
  garbage   the answer is no OMAPI
  huge      the answer announces a value of 2 GiB
  slow      sixteen bytes every 20 ms, both ways
  old       a dhcpd before 4.4.3 (closes at the first signature that is not hmac-md5)
Prints "connection" for each one. At SIGTERM its connections are reset.
"""
import asyncio
import os
import signal
import socket
import struct
import sys

SOME = 2
LOGIN = 3  # hello, authenticator, control: each waits for the answer to the one before
HUGE = struct.pack(">6IHHB", 0, 0, 3, 1, 1, 1, 0, 1, 97) + struct.pack(">I", 0x7FFFFFFF)
GARBAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
clients = set()


def manner():
    with open(sys.argv[3], encoding="ascii") as f:
        return f.read().strip()


def reset(writer):
    sock = writer.get_extra_info("socket")
    if writer.is_closing() or sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def passed_on(data, writer):
    step = 16 if manner() == "slow" else len(data)
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
        await writer.drain()
        if step == 16:
            await asyncio.sleep(0.02)


async def questions(client, dhcpd, to_client):
    chunks = 0
    while data := await client.read(64 if manner() == "slow" else 65536):
        chunks += 1
        how = manner()
        asked = chunks > LOGIN
        if how == "some" and chunks > LOGIN + SOME:
            how = "closes"
        if how == "old" and chunks == LOGIN:
            return
        if not (how == "deaf" and asked):
            await passed_on(data, dhcpd)
        if how == "closes" and asked:
            to_client.close()  # at once: the answer may be there before others have their turn
            return
        if how == "resets" and asked:
            reset(to_client)
            return
        if how in ("garbage", "huge") and asked:
            to_client.write(GARBAGE if how == "garbage" else HUGE)


async def answers(dhcpd, client):
    said = 0
    while data := await dhcpd.read(65536):
        said += 1
        if said <= LOGIN or manner() not in ("mute", "garbage", "huge", "resets"):
            await passed_on(data, client)


async def connection(client, to_client):
    print("connection", flush=True)
    clients.add(to_client)
    try:
        dhcpd, to_dhcpd = await asyncio.open_connection(sys.argv[2], 7911)
    except OSError:
        reset(to_client)
        clients.discard(to_client)
        return
    ways = [
        asyncio.create_task(questions(client, to_dhcpd, to_client)),
        asyncio.create_task(answers(dhcpd, to_client)),
    ]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    to_dhcpd.close()
    to_client.close()
    clients.discard(to_client)


def end():
    asyncio.get_running_loop().call_later(0.05, os._exit, 0)
    for client in clients:
        reset(client)


async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
    server = await asyncio.start_server(connection, "0.0.0.0", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
