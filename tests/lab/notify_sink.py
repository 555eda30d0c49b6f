# SPDX-License-Identifier: ISC
"""Takes what a service tells its manager: notify_sink.py SOCKET FILE appends each line to FILE."""
import socket
import sys

sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sink.bind(sys.argv[1])
with open(sys.argv[2], "a", buffering=1, encoding="utf-8") as lines:
    while True:
        print(sink.recv(4096).decode(), file=lines)
