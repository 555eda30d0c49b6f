# SPDX-License-Identifier: ISC
"""Asks a running tap82 everything that its OpenAPI description names, and compares each answer with
it: openapi_check.py SOCKET MAC-OF-A-DEVICE API-SOURCE. Prints ok lines.

The validator knows what the description uses of JSON Schema, and stops at what it does not know."""
import http.client
import json
import re
import socket
import sys

failures, asked = 0, set()


def check(name, why):
    """why: the empty text, or what is wrong."""
    global failures
    failures += bool(why)
    print(f"not ok - {name}: {why}" if why else f"ok - {name}", flush=True)


class Local(http.client.HTTPConnection):
    """HTTP over the Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(sys.argv[1])


def ask(method, path, body=None):
    talk = Local("localhost")
    talk.request(method, path, body=None if body is None else json.dumps(body))
    answer = talk.getresponse()
    kind = (answer.getheader("Content-Type") or "").split(";")[0]
    text = answer.readline() if "follow=1" in path else answer.read()
    return answer.status, kind, text.decode()


KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "minimum", "maximum"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def wrong(schema, value, where="answer"):
    """The first thing in which the value is not as the schema says, or the empty text."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if unknown := set(schema) - KNOWN:
        return f"{where}: the validator does not know {unknown}"
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return f"{where}: {value!r} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{where}: {value!r} has another form"
    if "minimum" in schema and value < schema["minimum"] or "maximum" in schema and value > schema["maximum"]:
        return f"{where}: {value} is out of range"
    if kind == "array":
        return next(filter(None, (wrong(schema["items"], v, f"{where}[{i}]") for i, v in enumerate(value))), "")
    return wrong_object(schema, value, where) if kind == "object" else ""


def wrong_object(schema, value, where):
    properties = schema.get("properties", {})
    if missing := set(schema.get("required", [])) - set(value):
        return f"{where}: lacks {missing}"
    if schema.get("additionalProperties") is False and (more := set(value) - set(properties)):
        return f"{where}: has {more}, which is not described"
    return next(filter(None, (wrong(s, value[k], f"{where}.{k}") for k, s in properties.items() if k in value)), "")


def tried(method, path, status, actual, body=None):
    """One call: that it has the status expected, and that status, type and content are described."""
    got, kind, text = ask(method.upper(), actual, body)
    asked.add((method, path))
    described = document["paths"][path][method]["responses"].get(str(got))
    if got != status:
        why = f"status {got}: {text[:200]}"
    elif not described:
        why = f"status {got} is not described"
    elif kind not in described["content"]:
        why = f"{kind} is not described"
    elif kind in ("application/json", "application/x-ndjson"):
        why = wrong(described["content"][kind]["schema"], json.loads(text))
    else:
        why = ""
    check(f"{method.upper()} {actual} → {status}", why)
    return text


mac, absent, nobody = sys.argv[2], "02:82:00:ff:00:01", "02:82:00:ff:00:02"
document = json.loads(ask("GET", "/openapi.json")[2])
routes = re.findall(r'\{HTTP_(\w+), "([^"]+)"', open(sys.argv[3], encoding="utf-8").read())
routes = {(method.lower(), path) for method, path in routes}
described = {(m, p) for p, item in document["paths"].items() for m in item if m != "parameters"}
check("the description has every route, and no other", str(routes ^ described) if routes != described else "")

for path in ("/", "/openapi.json", "/healthz", "/metrics", "/v1/status", "/v1/devices", "/v1/events", "/v1/unknown",
             "/v1/reservations"):
    tried("get", path, 200, path)
tried("get", "/v1/devices", 200, "/v1/devices?state=provisioned")
tried("get", "/v1/devices", 400, "/v1/devices?state=asleep")
tried("get", "/v1/events", 200, "/v1/events?since=0&limit=5&event=provision.handoff&mac=" + mac)
tried("get", "/v1/events", 200, "/v1/events?since=1&follow=1&limit=5")
tried("get", "/v1/events", 400, "/v1/events?since=yesterday")
tried("get", "/v1/events", 200, "/v1/events?after=&limit=3")
tried("get", "/v1/events", 404, "/v1/events?after=" + 32 * "0")
tried("get", "/v1/events", 400, "/v1/events?after=here")
one, explained = "/v1/devices/{mac}", "/v1/devices/{mac}/explain"
tried("get", one, 200, "/v1/devices/" + mac.upper().replace(":", "-"))
tried("get", one, 404, "/v1/devices/" + nobody)
tried("get", one, 400, "/v1/devices/nonsense")
tried("get", explained, 200, f"/v1/devices/{mac}/explain")
tried("get", explained, 200, f"/v1/devices/{mac}/explain?text=1")
tried("put", one, 201, "/v1/devices/" + absent, {"serial_number": "API1", "name": "by hand"})
tried("put", one, 200, "/v1/devices/" + absent, {"serial_number": "API1", "name": "again"})
tried("put", one, 400, "/v1/devices/" + absent, {"name": "without a serial number"})
tried("put", one, 409, "/v1/devices/" + nobody, {"serial_number": "API1"})
tried("get", explained, 200, f"/v1/devices/{absent}/explain")
tried("post", "/v1/devices", 200, "/v1/devices", [{"mac": nobody, "serial_number": "API2"}])
tried("post", "/v1/devices", 400, "/v1/devices", {"mac": nobody})
tried("delete", one, 200, "/v1/devices/" + nobody)
tried("delete", one, 404, "/v1/devices/" + nobody)
retry, release = "/v1/reservations/{mac}/retry", "/v1/reservations/{mac}/release"
tried("post", retry, 202, f"/v1/reservations/{mac}/retry")
tried("post", retry, 409, f"/v1/reservations/{absent}/retry")
tried("post", retry, 404, f"/v1/reservations/{nobody}/retry")
tried("post", release, 202, f"/v1/reservations/{mac}/release")
tried("post", "/v1/reconcile", 400, "/v1/reconcile", {"mac": mac})
tried("post", "/v1/reload", 200, "/v1/reload?force=1")
check("every operation was asked", str(described - asked) if described - asked else "")
sys.exit(failures > 0)
