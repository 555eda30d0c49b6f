#!/bin/sh
# SPDX-License-Identifier: ISC
# What takes hours, on clocks that are made to run (faketime): dhcpd writes its leases file anew after
# an hour, and is dead for an hour.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:?test_omapi_clock.sh BUILD}"
lab_net
faketime=$(echo /usr/lib/*/faketime/libfaketime.so.1)
[ -e "$faketime" ] || lab_die "libfaketime is missing: run 'make deps'"
hours=0

reserve() { on_server "$build/lab/reserve" -k "omapi_key:$lab_key_file:hmac-sha256" -w 10 "$@"; }
omapi() { t82 omapi "$@"; }
asks() {
  cameras --timeout 10s dora "mac=02:00:00:00:00:0$1" relay=10.50.0.1 "circuit=eth0/$1" remote=sw-7 > "$tmp/cameras.out"
}
handed_over() { event_seen ".event == \"provision.handoff\" and .mac == \"02:00:00:00:00:0$1\""; }
# dhcpd's clock goes on by an hour and a bit: at its next record it writes the file anew.
an_hour_later() {
  hours=$((hours + 1))
  echo "+$((hours * 3650))" > "$tmp/clock"
}
inode() { stat -c %i "$tmp/leases1"; }
is_written_anew() { [ "$(inode)" != "$1" ]; }
pinned() { omapi get lease ip-address="$1" --json | jq -e '.state == "active" and .flags == "reserved" and .ends == "never"'; }
reserved_on_disk() { # MAC IP
  grep -A3 "^host tap82-$(echo "$1" | tr -d :) " "$tmp/leases1" | grep -q "fixed-address $2;"
}
pinned_on_disk() {
  awk -v ip="$1" '$1 == "lease" {mine = $2 == ip; if (mine) record = ""} mine {record = record $0 "\n"}
    END {printf "%s", record}' "$tmp/leases1" > "$tmp/record"
  grep -qE 'ends (never|[0-9] 2038/)' "$tmp/record" && grep -q '^  binding state active' "$tmp/record" && grep -q reserved "$tmp/record"
}
all_there() { # WHEN
  check "$1: the host in a range is on disk" reserved_on_disk 02:00:00:00:00:01 "$ip"
  check "$1: and its pin" pinned_on_disk "$ip"
  check "$1: the host outside of the ranges is on disk" reserved_on_disk 02:00:00:00:00:08 10.50.0.200
  check "$1: dhcpd itself says the same" pinned "$ip"
}

# ---- the leases file is written anew ----

# Twenty thousand hosts that are nobody's business: the file takes a while to be read.
crowd() {
  seq 1 20000 | awk '{printf "host by-hand-%d {\n  dynamic;\n  hardware ethernet 06:00:00:00:%02x:%02x;\n  fixed-address 10.20.%d.%d;\n}\n",
    $1, $1 / 256, $1 % 256, $1 / 256, $1 % 256}' > "$tmp/leases1"
}
written_anew() {
  crowd
  echo +0 > "$tmp/clock"
  lab_wrap="env LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=$tmp/clock FAKETIME_NO_CACHE=1"
  lab_dhcpd
  lab_tap82
  asks 1
  ip=$(jq -r 'select(.result == "ack") | .ip' "$tmp/cameras.out")
  check "a camera is provisioned" wait_for 5 handed_over 1
  check "its address is of a range, and pinned" wait_for 5 pinned_on_disk "$ip"
  reserve ensure 02:00:00:00:00:08 10.50.0.200 auto pin > /dev/null
  before=$(inode)
  an_hour_later
  asks 2
  check "after an hour dhcpd writes its leases file anew" wait_for 5 is_written_anew "$before"
  check "the camera that comes then is provisioned" wait_for 5 handed_over 2
  all_there "written anew"
  lab_stop "$dhcpd_pid" KILL
  lab_dhcpd
  all_there "and killed, and started"
  check "nothing of this is told as a failure" test "$(event_count '.severity == "error" and .event != "server.unreachable"')" -eq 0
}

# finds_the_orphan: reconcile, while the file it reads is replaced again and again.
finds_the_orphan() {
  t82 reconcile --json --leases "$tmp/leases1" > "$tmp/findings" 2>&1
  [ $? -eq 1 ] && jq -e -s 'length == 2 and all(.[]; .finding == "orphaned" and .fixed == false)' "$tmp/findings" > /dev/null
}
replace_again_and_again() {
  while [ ! -e "$tmp/enough" ]; do
    an_hour_later
    omapi update host name=by-hand-1 "ip-address=10.20.200.$((hours % 250))" > /dev/null
    inode >> "$tmp/inodes"
  done
}
replaced_while_read() {
  omapi create host name=tap82-0200000000aa hardware-address=02:00:00:00:00:aa ip-address=10.50.0.77 > /dev/null
  check "reconcile finds the orphans" wait_for 10 finds_the_orphan # once its own run is over; the other one is 02:00:00:00:00:08
  replace_again_and_again &
  replacing=$!
  lab_pids="$lab_pids $replacing"
  wrong=0
  for _ in 1 2 3 4 5 6 7 8; do finds_the_orphan || { wrong=$((wrong + 1)); cat "$tmp/findings"; }; done
  touch "$tmp/enough"
  wait $replacing
  check "reconcile finds them while the file is replaced ($(sort -u "$tmp/inodes" | wc -l) times)" test $wrong -eq 0
  check "it was replaced" test "$(sort -u "$tmp/inodes" | wc -l)" -ge 3
}

# ---- dead for an hour ----

attempts() { on_server nstat -asz TcpActiveOpens | awk '$1 == "TcpActiveOpens" {print $2}'; }
states() { grep -c "^state $1" "$tmp/watch"; }
# An hour is 36 s of ours: a hundred times as fast.
dead_for_an_hour() {
  lab_stop "$tap82_pid"
  ip netns exec "$server_ns" env LD_PRELOAD="$faketime" FAKETIME="+0 x100" "$build/lab/reserve" \
    -k "omapi_key:$lab_key_file:hmac-sha256" watch 20000 > "$tmp/watch" 2>&1 &
  watch_pid=$!
  lab_pids="$lab_pids $watch_pid"
  check "logged in" wait_for 10 grep -q '^state ready' "$tmp/watch"
  lab_stop "$dhcpd_pid" KILL
  wait_for 5 grep -q '^state unreachable' "$tmp/watch"
  had=$(attempts)
  had_ticks=$(awk '{print $14 + $15}' "/proc/$watch_pid/stat")
  sleep 36
  tried=$(($(attempts) - had))
  used=$(($(awk '{print $14 + $15}' "/proc/$watch_pid/stat") - had_ticks))
  check "dead for an hour: tried every 5 s or so ($tried times)" test $tried -ge 300 -a $tried -le 1200
  check "dead for an hour: told once" test "$(states unreachable)" -eq 1
  check "dead for an hour: no hot loop ($used ticks)" test $used -lt 360
  lab_dhcpd
  check "back after an hour: told once" wait_for 10 is_back
  check "and its hosts are there" answers 'unchanged'
}
is_back() { [ "$(states ready)" -eq 2 ]; }
answers() { reserve ensure 02:00:00:00:00:08 10.50.0.200 auto pin | grep -q "^$1"; }

printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n02:00:00:00:00:02,SN-2\n' | lab_devices
lab_tap82_conf
lab_dhcpd_conf 7200
written_anew
replaced_while_read
dead_for_an_hour
