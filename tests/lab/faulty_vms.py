#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A VMS with faults: faulty_vms.py PORT LOG [MAC=FAULT…].

Logs one JSON line a request: {"at", "path", "token", "status", "body"}. Faults: "503:N" answers 503
N times and then 204; "400" and "422" refuse for good with a message; "silent:N" closes without an
answer N times; "hang:N" takes the request and says nothing N times, until the other side gives up;
"slow:S" answers after S seconds. "tls=FILE" (certificate and key) makes it HTTPS."""
import http.server
import json
import ssl
import sys
import threading
import time

faults = dict(word.split("=", 1) for word in sys.argv[3:])
log = open(sys.argv[2], "a", buffering=1)
lock = threading.Lock()
REFUSALS = {"400": "The address is of no network here.", "422": "The camera is not known."}


def left(mac):
    """Takes one off the fault's count: whether it is still to be shown."""
    with lock:
        kind, _, n = faults[mac].partition(":")
        faults[mac] = f"{kind}:{int(n) - 1}"
        return int(n) > 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        at = time.time()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = faults.get(body.get("mac"), "")
        status, text = 204, b""
        if fault.startswith("503") and left(body["mac"]):
            status = 503
        elif fault in REFUSALS:
            status, text = int(fault), json.dumps({"message": REFUSALS[fault]}).encode()
        elif fault.startswith(("silent", "hang")) and left(body["mac"]):
            status = 0
        elif fault.startswith("slow"):
            time.sleep(float(fault.partition(":")[2]))
        with lock:
            log.write(json.dumps({"at": at, "path": self.path, "status": status, "body": body,
                                  "token": self.headers.get("Authorization", "")}) + "\n")
        if status == 0:
            if fault.startswith("hang"):
                self.rfile.read(1)
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        """The handshake is left to the first read, in the request's own thread."""
        talk, peer = super().get_request()
        if context:
            talk = context.wrap_socket(talk, server_side=True, do_handshake_on_connect=False)
        return talk, peer

    def handle_error(self, request, client_address):
        """Who does not like the certificate leaves: that is what is looked at."""


context = None
if "tls" in faults:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(faults["tls"])
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
