#!/bin/sh
# SPDX-License-Identifier: ISC
# A table of a million is reloaded with every row changed while `tap82 run` works: how long it
# takes, and the longest turn of its loop, in which no packet is taken.
#   bench_reload.sh BUILD [DEVICES]
set -u
tap82=$(cd "${1:?bench_reload.sh BUILD}" && pwd)/tap82
devices=${2:-1000000}
# On a disk: /tmp may be memory.
tmp=$(mktemp -d /var/tmp/tap82-reload.XXXXXX)
pid=""
cleanup() {
  [ -n "$pid" ] && kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
  rm -rf "${tmp:?}"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# table WORD: every camera is named WORD and its number.
table() {
  awk -v n="$devices" -v word="$1" 'BEGIN {
    print "mac,serial_number,name,ip"
    for (i = 0; i < n; i++)
      printf "02:00:00:%02x:%02x:%02x,SN-%07d,%s %d,10.%d.%d.%d\n", i / 65536, i / 256 % 256,
        i % 256, i, word, i, 100 + i / 65536, i / 256 % 256, i % 256
  }' > "$tmp/devices.csv"
}
api() { curl -s -m 300 --unix-socket "$tmp/tap82.sock" "$@"; }
metric() { api http://localhost/metrics | sed -n "s/^$1 //p"; }
# reload WORDS QUERY
reload() {
  began=$(date +%s.%N)
  api -o "$tmp/answer" -X POST "http://localhost/v1/reload$2" || exit 1
  ended=$(date +%s.%N)
  printf '%-36s %6.1f s; longest turn %6.1f ms, of it commits %6.1f ms: %s\n' "$1" \
    "$(echo "$ended - $began" | bc)" "$(echo "1000 * $(metric tap82_turn_longest_seconds)" | bc)" \
    "$(echo "1000 * $(metric tap82_store_commit_longest_seconds)" | bc)" "$(cat "$tmp/answer")"
}

cp "$(dirname "$0")/../../pcaps/scenes/new-camera.pcap" "$tmp/in.pcap"
cat > "$tmp/tap82.ini" << CONF
[tap82]
state   = $tmp/tap82.db
devices = $tmp/devices.csv
listen  = $tmp/tap82.sock
user    =
[capture file]
file = $tmp/in.pcap
CONF
table camera
"$tap82" run -c "$tmp/tap82.ini" 2> "$tmp/log" &
pid=$!
for _ in $(seq 600); do
  api -f -o /dev/null http://localhost/healthz && break
  kill -0 "$pid" 2> /dev/null || { cat "$tmp/log"; exit 1; }
  sleep 0.2
done
reload "$devices rows, nothing changed:" ""
table renamed
reload "$devices rows, every name changed:" ""
awk 'NR % 2' "$tmp/devices.csv" > "$tmp/half.csv" && mv "$tmp/half.csv" "$tmp/devices.csv"
reload "half of them gone, refused:" ""
reload "half of them gone, forced:" "?force=1"
