#!/bin/sh
# SPDX-License-Identifier: ISC
# Our OMAPI against the real dhcpd: keys, batches, what is idempotent, and what goes wrong.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
lab_init "$1"
lab_net

key() { echo "omapi_key:$lab_key_file:${lab_algorithm:-hmac-sha256}"; }
reserve() { on_server "$build/lab/reserve" -k "$(key)" -w 120 "$@"; } # a busy disk takes its time
# answer_is WORDS COMMAND…: the last line of an answer begins with WORDS.
answer_is() {
  lab_words=$1
  shift
  "$@" > "$tmp/answer" 2>&1
  grep -v '"summary"' "$tmp/answer" | tail -1
  grep -v '"summary"' "$tmp/answer" | tail -1 | grep -q "^$lab_words"
}
omapi() { on_server "$tap82" omapi --address 127.0.0.1 --key-name omapi_key --key-file "$lab_key_file" "$@"; }
dhcpd_lives() { kill -0 "$dhcpd_pid"; }
dhcpd_restart() { lab_stop "$dhcpd_pid" && lab_dhcpd; }
many() { reserve many "$@" | tee "$tmp/many"; }
all_created() { many "$1" "$2" | grep -q "^created $1\$"; }

all_created_unsigned() {
  on_server "$build/lab/reserve" -w 120 many "$1" "$2" | tee "$tmp/many"
  grep -q "^created $1\$" "$tmp/many"
}

# ---- keys ----

algorithms() {
  for lab_algorithm in hmac-md5 hmac-sha1 hmac-sha224 hmac-sha256 hmac-sha384 hmac-sha512; do
    rm -f "$tmp/leases1"
    lab_dhcpd_conf
    lab_dhcpd
    check "300 hosts are created with $lab_algorithm" all_created 300 1
    lab_stop "$dhcpd_pid"
  done
  lab_algorithm=hmac-sha256
}

unsigned() {
  rm -f "$tmp/leases1"
  lab_dhcpd_conf
  sed -i '/^omapi-key/d' "$tmp/dhcpd1.conf"
  lab_dhcpd
  check "2000 hosts are created unsigned" all_created_unsigned 2000 1
  # 23 requests of 176 bytes end where the ring of dhcpd's buffer ends.
  ip netns exec "$server_ns" "$build/lab/omapi_raw" -w 23 100 300000 > /dev/null 2>&1 &
  raw_pid=$!
  lab_pids="$lab_pids $raw_pid"
  sleep 0.5
  check "a window over an unsigned connection stops dhcpd, DHCP too (why we do not use one)" \
    answer_is '.*"result":"none"' cameras --timeout 3s dora mac=aa:bb:cc:00:0f:01 relay=10.50.0.1 retry=1s tries=1 expect=none
  lab_stop "$raw_pid"
  check "when the window's client is gone dhcpd goes on" \
    answer_is '.*"result":"ack"' cameras --timeout 3s dora mac=aa:bb:cc:00:0f:01 relay=10.50.0.1
  lab_stop "$dhcpd_pid"
  rm -f "$tmp/leases1"
  lab_dhcpd_conf
  lab_dhcpd
}

# refused WORDS KEY: one line says why, dhcpd is asked once, and goes on living.
refused() {
  on_server "$build/lab/reserve" -k "$2" watch 2 > "$tmp/refused" 2>&1
  cat "$tmp/refused"
  [ "$(wc -l < "$tmp/refused")" -eq 1 ] && grep -q "^state refused .*$1" "$tmp/refused" && dhcpd_lives
}

wrong_keys() {
  (umask 077 && head -c 32 /dev/urandom | base64 > "$tmp/wrong.key")
  check "a wrong secret is said once" refused 'secret of key "omapi_key"' "omapi_key:$tmp/wrong.key:hmac-sha256"
  check "a wrong key name is said once" refused 'no key "other_key"' "other_key:$lab_key_file:hmac-sha256"
  check "a wrong algorithm is said once" refused 'with hmac-sha512' "omapi_key:$lab_key_file:hmac-sha512"
  on_server "$build/lab/reserve" watch 2 > "$tmp/refused" 2>&1
  check "a missing key is said once" grep -q '^state refused it wants a key' "$tmp/refused"
}

# ---- batches ----

storm() { on_server "$build/lab/omapi_storm" -a 127.0.0.1 -k "$(key)" "$@" && dhcpd_lives; }
raw() { on_server "$build/lab/omapi_raw" -k "$(key)" "$@"; }

batches() {
  if [ -n "${TAP82_SOAK:-}" ]; then lab_count=290000; # 200000 creates among them
  else lab_count=4000; fi
  check "$lab_count requests of all sizes, replies of all sizes: dhcpd lives" storm "$lab_count" 82
  check "stop-and-wait within a buffer: dhcpd lives" raw -b 16 -v 3000 300000
  if raw -w 64 -v 60000 400000 > "$tmp/raw" 2>&1; then
    not_ok "a sliding window over a signed connection makes dhcpd abort" "it did not"
  else
    lab_stop "$dhcpd_pid" 0
    if grep -q 'REQUIRE(dctxp' "$tmp/dhcpd1.log"; then
      ok "a sliding window over a signed connection makes dhcpd abort (why we do not use one)"
    else
      not_ok "a sliding window over a signed connection makes dhcpd abort" "$(tail -1 "$tmp/raw")"
    fi
  fi
  rm -f "$tmp/leases1"
  lab_dhcpd
}

# ---- ensure, release, look ----

foreign_conf() {
  cat >> "$tmp/dhcpd1.conf" << 'CONF'
host by-hand { hardware ethernet aa:bb:cc:00:01:01; fixed-address 10.50.0.101; }
host by-hand-2 { hardware ethernet aa:bb:cc:00:01:02; fixed-address 10.50.0.102, 10.20.0.102; }
CONF
  dhcpd_restart
}

idempotence() {
  m=aa:bb:cc:00:00:01
  check "an address outside the ranges gets a host" answer_is created reserve ensure $m 10.50.0.200 auto pin
  check "asked again it is unchanged" answer_is unchanged reserve ensure $m 10.50.0.200 auto pin
  check "dhcpd's own client sees it" host_is $m 10.50.0.200
  check "another address replaces it" answer_is updated reserve ensure $m 10.50.0.201 auto pin 10.50.0.200
  check "dhcpd has the other address" host_is $m 10.50.0.201
  omapi update host name=tap82-aabbcc000001 ip-address=10.50.0.201,10.20.0.201 > /dev/null
  check "an address that was added by hand is kept" answer_is updated reserve ensure $m 10.50.0.202 auto pin 10.50.0.201
  check "the list has the new one first" answer_is '.*addresses=10.50.0.202,10.20.0.201' reserve look $m -
  check "releasing one address leaves the other" answer_is removed reserve release $m 10.50.0.202
  check "the other is still there" answer_is '.*addresses=10.20.0.201$' reserve look $m -
  check "releasing the last one removes the host" answer_is removed reserve release $m 10.20.0.201
  check "released again it is absent" answer_is absent reserve release $m 10.20.0.201
  check "it can be created again" answer_is created reserve ensure $m 10.50.0.200 host
}

foreign() {
  cp "$tmp/leases1" "$tmp/leases.before"
  check "a foreign host that says the same is accepted" answer_is foreign-equal reserve ensure aa:bb:cc:00:01:01 10.50.0.101 auto
  check "a foreign host with another address is a refusal" answer_is foreign-reservation reserve ensure aa:bb:cc:00:01:01 10.50.0.99 auto
  check "the second address of a foreign host is equal too" answer_is foreign-equal reserve ensure aa:bb:cc:00:01:02 10.20.0.102 auto
  check "a foreign host is not released" answer_is absent reserve release aa:bb:cc:00:01:01 10.50.0.101
  check "a foreign host is not pinned for" answer_is absent reserve repin aa:bb:cc:00:01:01 10.50.0.101
  check "nothing was written for any of this" cmp "$tmp/leases1" "$tmp/leases.before"
  omapi create host name=tap82-aabbcc000103 hardware-address=aa:bb:cc:ff:ff:ff > /dev/null
  check "our name on another MAC is a refusal that says so" answer_is 'refused .*aa:bb:cc:ff:ff:ff' reserve ensure aa:bb:cc:00:01:03 10.50.0.103 auto
  check "a device that cannot be is refused" answer_is refused reserve ensure ff:ff:ff:ff:ff:ff 10.50.0.103 auto
}

pins() {
  check "an address of a range is pinned" answer_is 'created is-pinned' reserve ensure aa:bb:cc:00:02:01 10.50.0.11 auto pin
  check "only the server that sent the ACK pins" answer_is 'created$' reserve ensure aa:bb:cc:00:02:02 10.50.0.12 auto
  check "what is pinned is unchanged" answer_is 'unchanged is-pinned' reserve ensure aa:bb:cc:00:02:01 10.50.0.11 auto pin
  check "mode host does not pin" answer_is 'created$' reserve ensure aa:bb:cc:00:02:03 10.50.0.13 host pin
  check "mode pin outside of the ranges is refused" answer_is 'refused .*no lease' reserve ensure aa:bb:cc:00:02:04 10.50.0.222 pin pin
  omapi update lease ip-address=10.50.0.11 state=free > /dev/null
  check "a pin that was lost is set again" answer_is updated reserve repin aa:bb:cc:00:02:01 10.50.0.11
  check "the lease is reserved, active and without end" pinned 10.50.0.11
  dhcpd_restart
  check "the pin outlives dhcpd" pinned 10.50.0.11
  check "moved to another address of the range it is pinned there" answer_is 'updated is-pinned' \
    reserve ensure aa:bb:cc:00:02:01 10.50.0.10 auto pin 10.50.0.11
  check "the lease it moved to is pinned" pinned 10.50.0.10
  check "the lease it left is free" answer_is '.*"state":"free".*"flags":"none"' omapi get lease ip-address=10.50.0.11 --json
  check "moved back it is pinned as before" answer_is 'updated is-pinned' \
    reserve ensure aa:bb:cc:00:02:01 10.50.0.11 auto pin 10.50.0.10
  check "releasing unpins" answer_is removed reserve release aa:bb:cc:00:02:01 10.50.0.11
  check "the lease is free" answer_is '.*"state":"free".*"flags":"none"' omapi get lease ip-address=10.50.0.11 --json
}

pinned() { answer_is '.*"state":"active".*"ends":"never".*"flags":"reserved"' omapi get lease "ip-address=$1" --json; }

# ---- what goes wrong ----

# in_background COUNT SEED: `many` runs on while something happens to dhcpd.
in_background() {
  reserve many "$1" "$2" > "$tmp/many" 2>&1 &
  many_pid=$!
  lab_pids="$lab_pids $many_pid"
}

# watch [-d DEADLINE] SECONDS: the states of a connection, into a file, in the background.
watch() {
  rm -f "$tmp/watch" # what the one before said is not ready
  if [ "$1" = -d ]; then set -- "-d$2" "$3"; else set -- -d5s "$1"; fi
  ip netns exec "$server_ns" "$build/lab/reserve" -k "$(key)" "$1" watch "$2" > "$tmp/watch" 2>&1 &
  watch_pid=$!
  lab_pids="$lab_pids $watch_pid"
}

hosts_on_disk() { grep -c '^host tap82-0210' "$tmp/leases1"; }

restart() {
  in_background 3000 1000000
  sleep 0.4
  lab_stop "$dhcpd_pid" KILL
  wait "$many_pid"
  check "killed in mid-batch: what was not answered is unknown, not done" grep -q '^unreachable' "$tmp/many"
  told=$(awk '$1 == "created" {print $2}' "$tmp/many")
  check "killed in mid-batch: what was told is on disk ($told)" test "$(hosts_on_disk)" -ge "${told:-0}"
  lab_dhcpd
  many 3000 1000000 > /dev/null
  check "asked again everything is there once" test "$(hosts_on_disk)" -eq 3000
  check "asked again nothing is refused" test "$(awk '$1 == "created" || $1 == "unchanged" {n += $2} END {print n}' "$tmp/many")" -eq 3000
}

stopped() {
  if [ -n "${TAP82_SOAK:-}" ]; then lab_pause=60; else lab_pause=3; fi
  watch -d 1s $((lab_pause + 8))
  wait_for 3 grep -q 'state ready' "$tmp/watch"
  kill -STOP "$dhcpd_pid"
  on_server "$build/lab/reserve" -k "$(key)" -d 1s -w 10 ensure aa:bb:cc:00:03:01 10.50.0.31 host > "$tmp/answer"
  check "a stopped dhcpd: no answer in time, ask later" grep -q '^unreachable text=no answer for 1s' "$tmp/answer"
  check "a stopped dhcpd is told as unreachable" grep -q '^state unreachable no answer' "$tmp/answer"
  sleep "$lab_pause"
  kill -CONT "$dhcpd_pid"
  check "when it goes on the answer is right" answer_is '\(created\|unchanged\)' reserve ensure aa:bb:cc:00:03:01 10.50.0.31 host
  kill "$watch_pid" 2> /dev/null
  wait "$watch_pid" 2> /dev/null
}

# A connection that is watched over a restart: one line down, one line up, few attempts.
comes_back() {
  watch 20
  wait_for 3 grep -q 'state ready' "$tmp/watch"
  lab_stop "$dhcpd_pid"
  sleep 3
  lab_dhcpd
  check "dhcpd away for 3 s: told that it is back" wait_for 10 told 'state ready' 2
  check "dhcpd away for 3 s: told once that it is unreachable" told 'state unreachable' 1
  lab_stop "$watch_pid"
}
told() { [ "$(grep -c "$1" "$tmp/watch")" -eq "$2" ]; }

# The leases file on a file system of its own that can be filled.
disk_full() {
  lab_stop "$dhcpd_pid"
  mkdir -p "$tmp/small"
  mount -t tmpfs -o size=256k tmpfs "$tmp/small" || lab_die "no tmpfs"
  touch "$tmp/small/leases"
  ip netns exec "$server_ns" "$tmp/dhcpd" -4 -f -d --no-pid -cf "$tmp/dhcpd1.conf" -lf "$tmp/small/leases" srv0 >> "$tmp/dhcpd1.log" 2>&1 &
  dhcpd_pid=$!
  lab_pids="$lab_pids $dhcpd_pid"
  wait_for 5 lab_listens "$server_ns" 7911
  check "before the disk is full a host is created" answer_is created reserve ensure aa:bb:cc:00:04:01 10.50.0.41 host
  head -c 300000 /dev/zero > "$tmp/small/filler" 2> /dev/null
  many 100 2000000 > /dev/null # what is left of the file's last page
  check "on a full disk the answer is: later" answer_is 'unreachable .*leases file' reserve ensure aa:bb:cc:00:04:02 10.50.0.42 host
  check "dhcpd does not keep in memory what it could not write" answer_is absent reserve look aa:bb:cc:00:04:02 -
  rm "$tmp/small/filler"
  check "with room again the same host is created" answer_is created reserve ensure aa:bb:cc:00:04:02 10.50.0.42 host
  check "and it is on the disk" grep -q 'host tap82-aabbcc000402' "$tmp/small/leases"
  lab_stop "$dhcpd_pid"
  umount "$tmp/small"
  lab_dhcpd
}

algorithms
unsigned
wrong_keys
batches
idempotence
foreign_conf
foreign
pins
restart
stopped
comes_back
disk_full
