# SPDX-License-Identifier: ISC
"""api_latency.py SOCKET FILE COUNT PATH...: asks each path in turn, 50 times a second, until SIGTERM.

FILE gets a line for each answer: seconds since the start, milliseconds, status, path. "{n}" in a
path is replaced by a number from 1 to COUNT, another one each time, as a MAC's last three bytes.
"""
import signal
import socket
import sys
import time

running = True


def stop(*_):
    global running
    running = False


def ask(path, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(path)
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % request.encode())
        answer = b""
        while True:
            more = s.recv(1 << 16)
            if not more:
                break
            answer += more
    return int(answer.split(b" ", 2)[1])


def main():
    path, file, count, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    signal.signal(signal.SIGTERM, stop)
    began = time.monotonic()
    with open(file, "w", buffering=1) as out:
        for i in range(1 << 60):
            if not running:
                return
            n = i * 7919 % count + 1
            request = requests[i % len(requests)]
            at = time.monotonic()
            status = ask(path, request.replace("{n}", "%02x:%02x:%02x" % (n >> 16, n >> 8 & 255, n & 255)))
            took = time.monotonic() - at
            out.write("%.3f %.3f %d %s\n" % (at - began, took * 1000, status, request))
            time.sleep(max(0, 0.02 - took))


main()
