#!/bin/sh
# SPDX-License-Identifier: ISC
# Webhooks over TLS: a good certificate is believed; one for another host, one that has expired and one
# of an unknown CA are not, and a person is told. What is owed stays, and goes out when that is mended.
set -u
# shellcheck source=tests/replay/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- certificates ----

new_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
    -keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2> /dev/null
}
# certificate NAME CA ALTERNATIVE-NAME DAYS: $tmp/NAME.pem has certificate and key.
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$tmp/$1.key" -out "$tmp/$1.csr" 2> /dev/null
  echo "subjectAltName = $3" > "$tmp/$1.ext"
  openssl x509 -req -in "$tmp/$1.csr" -CA "$tmp/$2.pem" -CAkey "$tmp/$2.key" -CAcreateserial \
    -days "$4" -extfile "$tmp/$1.ext" -out "$tmp/$1.crt" 2> /dev/null
  cat "$tmp/$1.crt" "$tmp/$1.key" > "$tmp/$1.pem"
}
new_ca ours
new_ca theirs
certificate good ours IP:127.0.0.1 30
certificate host ours DNS:vms.example 30
certificate old ours IP:127.0.0.1 -1
certificate stranger theirs IP:127.0.0.1 30

# ---- four receivers ----

port=$((20000 + $$ % 20000))
# vms NAME OFFSET CERTIFICATE
vms() {
  python3 tests/lab/faulty_vms.py $((port + $2)) "$tmp/$1.got" "tls=$tmp/$3.pem" 2> /dev/null &
  vms_pid=$!
  pids="$pids $vms_pid"
  wait_for 10 curl -ks -o /dev/null "https://127.0.0.1:$((port + $2))/"
}
cat > "$tmp/tap82.ini" << CONF
[tap82]
state     = $tmp/tap82.db
listen    = $tmp/tap82.sock
event-log =
user      =
[capture file]
file = pcaps/scenes/new-camera.pcap
[server away]
address   = 127.0.0.1
port      = 1
server-id = 10.99.0.1
[group cameras]
subnets = 10.50.0.0/24
servers = away
CONF
offset=0
for name in good host old stranger; do
  vms "$name" "$offset" "$name"
  [ "$name" = old ] && old_pid=$vms_pid
  cat >> "$tmp/tap82.ini" << CONF
[webhook $name]
url     = https://127.0.0.1:$((port + offset))/
events  = dhcp.ip_allocation
format  = tap82
ca-file = $tmp/ours.pem
CONF
  offset=$((offset + 1))
done
cat >> "$tmp/tap82.ini" << CONF
[webhook system]
url     = https://127.0.0.1:$port/
events  = dhcp.ip_allocation
format  = tap82
CONF
got() { [ -s "$tmp/$1.got" ] && jq -e -s 'any(.body.event == "dhcp.ip_allocation" and .status == 204)' "$tmp/$1.got"; }
# state NAME JQ-CONDITION: what status says of this webhook.
state() {
  curl -s --unix-socket "$tmp/tap82.sock" http://localhost/v1/status |
    jq -e --arg name "$1" ".webhooks[] | select(.name == \$name) | $2"
}

# ---- the doctor ----

"$build/tap82" check --online --seconds 1 -c "$tmp/tap82.ini" > "$tmp/doctor" 2> "$tmp/doctor.err"
check "the doctor: a certificate that is good" grep -q "^✓ webhook good: https://127.0.0.1:$port/ lets us connect" "$tmp/doctor"
check "one for another host, and the mend" grep -q "^✗ webhook host: its certificate must be valid" "$tmp/doctor"
check "one that has expired" grep -q '^tap82: webhook old: .*expired' "$tmp/doctor.err"
check "one of an unknown CA" grep -q '^tap82: webhook stranger: ' "$tmp/doctor.err"
check "without ca-file the system's CAs count" grep -q '^tap82: webhook system: ' "$tmp/doctor.err"
check "the doctor posts nothing" sh -c "! cat '$tmp'/*.got 2> /dev/null | grep ."

# ---- the sidecar ----

"$build/tap82" run -c "$tmp/tap82.ini" > "$tmp/log" 2>&1 &
pid=$!
pids="$pids $pid"
check "a good certificate: the event is posted" wait_for 15 got good
check "its queue is empty" wait_for 5 state good '.queue == 0 and .sent >= 1 and (has("error") | not)'
check "another host's: it waits, and why is said" wait_for 10 state host '.queue >= 1 and .sent == 0 and (.error | test("host name"))'
check "expired: the same" wait_for 10 state old '.queue >= 1 and .sent == 0 and (.error | test("expired"))'
check "an unknown CA: the same" wait_for 10 state stranger '.queue >= 1 and .sent == 0 and (.error | test("issuer|self-signed"))'
check "an unknown CA for the system: the same" wait_for 10 state system '.queue >= 1 and .sent == 0'
check "the log says it once each" sh -c \
  "[ \"\$(grep -c '^tap82: webhook old: https://.*expired.*: trying again' '$tmp/log')\" = 1 ]"
check "nothing was posted to those" sh -c "! cat '$tmp/host.got' '$tmp/old.got' '$tmp/stranger.got' 2> /dev/null | grep ."
kill "$old_pid"
wait "$old_pid" 2> /dev/null
vms old 2 good
check "a new certificate: what was owed is posted" wait_for 30 got old
check "and the log says that it answers" wait_for 5 grep -q 'webhook old: answers again' "$tmp/log"
kill "$pid"
wait "$pid"
check "no sanitizer complained" sh -c "! grep -E 'ERROR: |runtime error' '$tmp/log'"
exit "$failures"
