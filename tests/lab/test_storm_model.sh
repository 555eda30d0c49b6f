#!/bin/sh
# SPDX-License-Identifier: ISC
# A city after a power cut: 100 000 cameras in a minute, and a dhcpd that writes 4 500 times a second
# (a model of its OMAPI at the speed of the real one with its leases on a disk; see omapi_model.c).
# Nothing is lost, memory is bounded, and people are answered meanwhile.
#
# TAP82_SOAK=1: all of them, once with hosts and once with leases that are pinned (five writes a
# camera: the work takes twice the storm's minute). Else 2 000 in six seconds. STORM_SAMPLES: the
# folder that keeps what was measured; STORM_KINDS: "hosts", "pins", or both.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

if [ -n "${TAP82_SOAK:-}" ]; then count=100000 seconds=60; else count=2000 seconds=6; fi
writes=4500
pool=10.64.0.1-10.65.255.255

ask_api() { curl -sf --max-time 20 --unix-socket "$tmp/state/tap82.sock" "http://localhost$1"; }
reserved_all() { ask_api /v1/status | jq -e ".tables.provisioned == $count" > /dev/null; }
memory_of() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
high_water_of() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
# Seconds that a process was ready to run and another ran instead.
delayed() { awk '{ printf "%.2f", $2 / 1e9 }' "/proc/$1/schedstat"; }

# One line a second: time, memory of engine and sniffer (KiB), bytes of the database and its log.
watch_memory() {
  began=$(date +%s)
  while sleep 1; do
    printf '%d %d %d %d\n' $(($(date +%s) - began)) "$(memory_of "$1")" "$(memory_of "$2")" \
      "$(cat "$tmp/state/tap82.db" "$tmp/state/tap82.db-wal" | wc -c)"
  done > "$samples/memory.$3" 2> /dev/null
}

# latency KIND QUANTILE: milliseconds, of all answers while the storm lasted.
latency() { sort -n -k 2 "$samples/api.$1" | awk -v q="$2" '{ v[NR] = $2 } END { print v[int((NR - 1) * q) + 1] }'; }
answered_in_time() { awk -v p99="$(latency "$1" 0.99)" 'BEGIN { exit !(p99 < 100) }' || { latency "$1" 0.99 && false; }; }
all_answered() { ! awk '$3 != 200' "$samples/api.$1" | grep .; }

table() { t82 devices --json | jq -r 'select(.state == "provisioned") | "\(.mac) \(.ip)"' | sort; }
events_once() { ! sqlite3 "$tmp/state/tap82.db" "select lower(hex(mac)), count(*) from event where code = '$1' group by mac having count(*) > 1" | grep .; }
events_of() { sqlite3 "$tmp/state/tap82.db" "select count(distinct mac) from event where code = '$1'"; }
metric() { ask_api /metrics | awk -v name="$1" '$1 ~ "^" name "[{]?" { sum += $2 } END { print sum + 0 }'; }
# A camera may cost 1 KiB while it waits: its device, its wish, and its share of the tables.
memory_is_bounded() { [ "$(high_water_of "$tap82_pid")" -lt $((40000 + count)) ] || { high_water_of "$tap82_pid" && false; }; }

# storm KIND [LEASES]
storm() {
  rm -f "$tmp"/state/*
  ip netns exec "$server_ns" "$build/lab/omapi_model" 7911 "$lab_key" $writes ${2:+"$2"} > "$tmp/hosts.$1" 2>> "$tmp/dhcpd-model.log" &
  model=$!
  lab_pids="$lab_pids $model"
  lab_tap82
  sniffer=$(lab_sniffer_pid)
  watch_memory "$tap82_pid" "$sniffer" "$1" &
  watcher=$!
  python3 "$top/tests/lab/api_latency.py" "$tmp/state/tap82.sock" "$samples/api.$1" $count /v1/status \
    "/v1/devices/02:00:00:{n}" "/v1/devices/02:00:00:{n}/explain" &
  asker=$!
  lab_pids="$lab_pids $watcher $asker"
  waited=$(delayed "$tap82_pid")
  on_relay "$build/lab/inject" v0 "$tmp/storm.pcap" "$pace" > "$tmp/inject.out"
  stormed=$(cat "$tmp/inject.out")
  check "$1: every camera of $count is provisioned, none is lost" wait_for 400 reserved_all
  kill "$asker" "$watcher"
  wait "$asker" "$watcher" 2> /dev/null
  figures "$1"
  check "$1: the answers of the API came in less than 100 ms at p99" answered_in_time "$1"
  check "$1: each with 200" all_answered "$1"
  check "$1: memory is bounded" memory_is_bounded
  check "$1: no packet was lost, nothing was shed" test "$(metric tap82_capture_drops_total)" = 0 -a "$(metric tap82_capture_shed_total)" = 0
  for code in dhcp.reservation_created provision.handoff streams.hold_started; do
    check "$1: $code for each" test "$(events_of $code)" -eq $count
    check "$1: $code once" events_once $code
  done
  table > "$tmp/table"
  lab_stop "$tap82_pid"
  lab_stop "$model"
  check "$1: dhcpd's hosts are what the table says" sh -c "sort '$tmp/hosts.$1' | diff - '$tmp/table'"
}
figures() {
  printf '    %s: %s; the API, %d answers: p50 %s ms, p99 %s ms, max %s ms; longest turn %s s; waited for a processor %s s\n' "$1" \
    "$stormed" "$(wc -l < "$samples/api.$1")" "$(latency "$1" 0.5)" "$(latency "$1" 0.99)" "$(latency "$1" 1)" \
    "$(metric tap82_turn_longest_seconds)" "$(echo "$(delayed "$tap82_pid") - $waited" | bc)"
  awk -v kind="$1" '{ if (NR == 1) first = $2; if ($2 > most) { most = $2; at = $1 } last = $2; if ($3 > sniffer) sniffer = $3 }
    END { printf "    %s: engine %d KiB before, at most %d KiB after %d s, %d KiB after %d s; sniffer at most %d KiB\n",
      kind, first, most, at, last, $1, sniffer }' "$samples/memory.$1"
}

lab_init "${1:?test_storm_model.sh BUILD}"
samples=${STORM_SAMPLES:-$tmp}
mkdir -p "$samples"
lab_net
ip -n "$relay_ns" link add v0 type veth peer name cap0 netns "$server_ns"
ip -n "$relay_ns" link set v0 up
ip -n "$server_ns" link set cap0 up
awk -v count=$count 'BEGIN { print "mac,serial_number"; for (n = 1; n <= count; n++)
  printf "02:00:00:%02x:%02x:%02x,SN-%d\n", n / 65536, n / 256 % 256, n % 256, n }' | lab_devices
lab_tap82_conf
sed -i "s/^interface = .*/interface = cap0/; s/^subnets = .*/subnets = 10.64.0.0\/15/; s/^relays .*/relays = 10.64.0.1/" "$tmp/tap82.ini"
"$camsim" --write "$tmp/storm.pcap" --quiet --pool 10.64.0.2 dora mac=02:00:00:00:00:01 count=$count rate=$((count / seconds)) \
  relay=10.64.0.1 circuit=eth0/%d remote=sw-7 > "$tmp/storm.out" || lab_die "no storm: $(cat "$tmp/storm.out")"
pace=$((count * 4 / seconds))
case ${STORM_KINDS:-hosts pins} in *hosts*) storm hosts ;; esac
case ${STORM_KINDS:-${TAP82_SOAK:+pins}} in *pins*) storm pins $pool ;; esac
exit "$lab_failures"
