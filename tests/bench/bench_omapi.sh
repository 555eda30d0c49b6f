#!/bin/sh
# SPDX-License-Identifier: ISC
# Reservations a second and latency into a real dhcpd: ours against a raw client, omshell and
# pypureomapi, leases on tmpfs and on disk; growth; DHCP service during a storm.
#   bench_omapi.sh BUILD [ROUNDS]
# Every figure is the median of ROUNDS (5) rounds, each client on a fresh dhcpd. A ratio is the median
# of the rounds' own ratios: what else the machine did in a round, it did to both.
# shellcheck disable=SC2154
set -u
. "$(dirname "$0")/../lab/lib.sh"

rounds=${2:-5}
lab_init "${1:?bench_omapi.sh BUILD}"
lab_net
key="omapi_key:$lab_key_file:hmac-sha256"
python=/usr/bin/python3
figures=$tmp/figures
shm=$(mktemp -d /dev/shm/tap82-bench.XXXXXX)
lab_dhcpd_conf
cp "$tmp/dhcpd1.conf" "$tmp/signed.conf"
sed '/^omapi-key/d' "$tmp/dhcpd1.conf" > "$tmp/unsigned.conf"

# fresh signed|unsigned: dhcpd with an empty leases file in $place.
fresh() {
  [ -n "${dhcpd_pid:-}" ] && lab_stop "$dhcpd_pid"
  cp "$tmp/$1.conf" "$tmp/dhcpd1.conf"
  rm -f "$place"/bench.leases*
  : > "$place/bench.leases"
  ln -sf "$place/bench.leases" "$tmp/leases1"
  ip netns exec "$server_ns" "$tmp/dhcpd" -4 -f -d --no-pid -cf "$tmp/dhcpd1.conf" -lf "$place/bench.leases" srv0 \
    >> "$tmp/dhcpd1.log" 2>&1 &
  dhcpd_pid=$!
  lab_pids="$lab_pids $dhcpd_pid"
  wait_for 5 lab_listens "$server_ns" 7911 || lab_die "dhcpd did not start"
}

# note NAME WORD: the value after WORD in the output of the run.
note() { sed -n "s/.* $2 \([0-9]*\).*/$1 \1 $round/p" "$tmp/run" >> "$figures"; }
ours() { on_server "$build/lab/reserve" "$@" > "$tmp/run" 2>&1 || failed "ours $*"; }
raw() { on_server "$build/lab/omapi_raw" "$@" > "$tmp/run" 2>&1 || failed "raw $*"; }
failed() {
  not_ok "$1" "$(tail -2 "$tmp/run" | tr '\n' ' ')"
  return 1
}

# timed NAME COUNT COMMAND…: for clients that do not measure themselves.
timed() {
  lab_name=$1
  lab_count=$2
  shift 2
  lab_t0=$(date +%s%N)
  "$@" > "$tmp/run" 2>&1
  lab_t1=$(date +%s%N)
  echo "$lab_name $((lab_count * 1000000000 / (lab_t1 - lab_t0))) $round" >> "$figures"
}

omshell_host() { # N
  mac=$(printf '02:20:00:00:%02x:%02x' $(($1 / 256)) $(($1 % 256)))
  printf 'new host\nset name = "om-%d"\nset hardware-address = %s\nset hardware-type = 1\nset ip-address = 10.20.%d.%d\ncreate\nclose\n' \
    "$1" "$mac" $(($1 / 256)) $(($1 % 256))
}
omshell_login() { printf 'server 127.0.0.1\nport 7911\nconnect\n'; }
omshell_script() { (omshell_login; cat "$tmp/omshell.script") | on_server omshell; }
omshell_each() { for n in $(seq 2001 2040); do (omshell_login; omshell_host "$n") | on_server omshell; done; }
for n in $(seq 1 1000); do omshell_host "$n"; done > "$tmp/omshell.script"

cat > "$tmp/pure.py" << 'PYTHON'
import pypureomapi
o = pypureomapi.Omapi("127.0.0.1", 7911)
for n in range(1000):
    o.add_host("10.20.%d.%d" % (n // 256, n % 256), "02:30:00:00:%02x:%02x" % (n // 256, n % 256))
PYTHON

# What is compared with each other runs next to each other.
one_round() {
  fresh unsigned
  timed "omshell-script" 1000 omshell_script
  timed "omshell-each" 40 omshell_each
  timed "pypureomapi" 1000 on_server "$python" "$tmp/pure.py"
  fresh signed
  for slice in 1 2 3 4 5 6; do
    round=${round%.*}.$slice
    ours -k "$key" many 500 $((slice * 10000)) && note "ours-signed" per-second
    raw -k "$key" -b 18 500 $((100000 + slice * 10000)) && note "raw-signed-stop-and-wait" per-second
  done
  round=${round%.*}
  ours -k "$key" many 3000 300000 && note "ours-signed-long" per-second
  ours -k "$key" -r 1 many 500 200000 && note "ours-signed-one-p50" p50 && note "ours-signed-one-p99" p99
  raw -k "$key" -w 1 500 210000 && note "raw-signed-one-p50" p50 && note "raw-signed-one-p99" p99
  fresh unsigned
  window 3000 100000
  fresh unsigned
  ours many 3000 100000 && note "ours-unsigned" per-second
  ours -r 1 many 500 200000 && note "ours-unsigned-one-p50" p50 && note "ours-unsigned-one-p99" p99
}

# A window stops dhcpd where its data end at the end of the ring of a buffer: then it is over.
window() {
  if on_server timeout 5 "$build/lab/omapi_raw" -w 64 "$@" > "$tmp/run" 2>&1; then
    note "raw-unsigned-pipelined" per-second
  else
    echo "  (round $round: the raw pipelined client has stopped dhcpd)"
  fi
}

median() { awk -v n="$1" '$1 == n {print $2}' "$figures" | sort -n | awk '{v[NR] = $1} END {print NR ? v[int((NR + 1) / 2)] : 0}'; }
ratio() {
  lab_ratio=$(awk -v a="$1" -v b="$2" '$1 == a {x[$3] = $2} $1 == b && $2 > 0 {y[$3] = $2}
    END {for (r in x) if (r in y) print x[r] / y[r]}' "$figures" | sort -n |
    awk '{v[NR] = $1} END {print NR ? v[int((NR + 1) / 2)] : 0}')
  awk -v r="$lab_ratio" -v bar="$3" -v what="$1 / $2" \
    'BEGIN {printf "  %-44s %8.2f   bar %-5s %s\n", what, r, bar, (r >= bar ? "kept" : "MISSED")}'
}

report() { # PLACE BAR-PYPURE BAR-EACH
  echo "$1: hosts a second, median of $rounds"
  for name in ours-signed-long ours-signed raw-signed-stop-and-wait ours-unsigned raw-unsigned-pipelined pypureomapi omshell-script omshell-each; do
    printf '  %-44s %8s /s\n' "$name" "$(median "$name")"
  done
  for name in ours-signed-one raw-signed-one ours-unsigned-one; do
    printf '  %-44s %8s us p50 %8s us p99\n' "$name" "$(median "$name-p50")" "$(median "$name-p99")"
  done
  ratio ours-signed raw-signed-stop-and-wait 0.9
  ratio ours-signed-long pypureomapi "$2"
  ratio ours-signed-long omshell-each "$3"
}

run_place() {
  : > "$figures"
  for round in $(seq 1 "$rounds"); do one_round; done
  report "$@"
}

growth() {
  fresh signed
  echo "growth on tmpfs: hosts a second, one dhcpd filled up"
  from=100000
  for count in 1000 9000 40000 50000; do
    ours -k "$key" -w 120 many "$count" "$from"
    from=$((from + count))
    printf '  up to %-38s %8s /s\n' $((from - 100000)) "$(sed -n 's/.*per-second \([0-9]*\).*/\1/p' "$tmp/run")"
  done
}

dora_times() { cameras --timeout 20s --quiet dora mac=02:40:00:00:00:01 "first=$1" count=200 rate=50 relay=10.20.0.1 | tail -1 |
  jq -r '"p50 \(.p50_ms) ms p99 \(.p99_ms) ms"'; }

service() {
  fresh signed
  echo "DHCP service on disk: 200 cameras at 50/s"
  printf '  %-44s %s\n' "dhcpd idle" "$(dora_times 1)"
  ip netns exec "$server_ns" "$build/lab/reserve" -k "$key" many 1000000 100000 > /dev/null 2>&1 &
  storm_pid=$!
  lab_pids="$lab_pids $storm_pid"
  printf '  %-44s %s\n' "during a storm of reservations" "$(dora_times 300)"
  kill "$storm_pid"
}

place=$shm
run_place "leases on tmpfs" 5 300
growth
place=$tmp
run_place "leases on disk" 1.1 30
service
rm -rf "${shm:?}"
