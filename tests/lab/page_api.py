# SPDX-License-Identifier: ISC
"""A small API that serves the page and records made up for it: `Api(page, devices)`."""
import base64
import hashlib
import http.server
import json
import queue
import re
import threading

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def policy(page):
    def of(tag):
        body = re.search(f"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        return "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"
    return (f"default-src 'none'; connect-src 'self'; style-src {of('style')}; script-src {of('script')}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def device(n, circuit=None):
    state = ("provisioned", "provisioned", "provisioned", "reserving", "failed", "new")[n % 6]
    switch, port = divmod(n, 48)
    circuit = circuit or f"ge-0/0/{port + 1}:120"
    record = {"mac": "02:82:%02x:%02x:%02x:%02x" % (n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255),
              "serial_number": f"SN{n:06}", "name": f"Gate {n}", "group": "cameras", "state": state,
              "last_seen": "2026-01-02T03:04:05.000000Z",
              "profile": {"option82": {"raw": "00", "circuit_id": circuit.encode().hex(),
                                       "circuit_id_text": circuit,
                                       "remote_id": f"sw-{switch:03}".encode().hex(),
                                       "remote_id_text": f"sw-{switch:03}"}}}
    if state != "new":
        record["ip"] = f"10.20.{n >> 8 & 255}.{n & 255}"
    return record


class Api:
    def __init__(self, page, devices, tables=None):
        self.tables = tables or {}
        self.page, self.policy = page.encode(), policy(page)
        self.devices = {d["mac"]: d for d in devices}
        self.followers, self.asked = [], []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                api.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tell(self, event):
        for follower in list(self.followers):
            follower.put(event)

    def answer(self, request):
        path = request.path.split("?")[0]
        self.asked.append(request.path)
        if path == "/":
            return self.send(request, 200, self.page, "text/html; charset=utf-8")
        if path == "/v1/status":
            return self.json(request, {"captures": [{"name": "camera-vlan", "packets": 123456, "drops": 0}],
                                       "servers": [{"name": "north", "state": "up", "queue": 3}], "holds": 2, "tables": self.tables})
        if path == "/v1/devices" and "state=" in request.path:
            wanted = request.path.split("state=")[1]
            return self.json(request, [d for d in self.devices.values() if d["state"] == wanted])
        if path == "/v1/devices":
            return self.json(request, list(self.devices.values()))
        if path == "/v1/events":
            return self.follow(request)
        found = re.fullmatch(r"/v1/devices/([^/]+)(/explain)?", path)
        mac = found and found[1].replace("%3A", ":")
        if not found or mac not in self.devices:
            return self.send(request, 404, b'{"error": "no such device"}')
        if found[2]:
            return self.json(request, {"mac": mac, "verdict": "address-taken", "next": "free the address", "steps": [
                {"n": 1, "question": "is option 54 one of our servers?", "answer": "yes", "evidence": {"server": "north"}},
                {"n": 8, "question": "is the address free?", "answer": "no", "evidence": {"circuit_id_text": HOSTILE}},
                {"n": 9, "question": "is it reserved?", "answer": "not-reached", "evidence": {}}]})
        return self.json(request, self.devices[mac])

    def json(self, request, value):
        self.send(request, 200, json.dumps(value).encode())

    def send(self, request, status, body, kind="application/json"):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Security-Policy", self.policy)
        request.end_headers()
        request.wfile.write(body)

    def follow(self, request):
        events = queue.Queue()
        self.followers.append(events)
        request.send_response(200)
        request.send_header("Content-Type", "application/x-ndjson")
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        try:
            while (event := events.get()) is not None:
                request.wfile.write(json.dumps(event).encode() + b"\n")
                request.wfile.flush()
        except OSError:
            pass
        self.followers.remove(events)
