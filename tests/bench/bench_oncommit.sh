#!/bin/sh
# SPDX-License-Identifier: ISC
# What `on commit { execute(…); }` in dhcpd.conf costs: who gets an address, and after how long, without
# a script, with one that appends a line to a file, and with one that takes a tenth of a second, for
# dhcpd waits for it. tap82 only listens: bench_oncommit.sh BUILD [CAMERAS]
set -u
lab_place=${lab_place:-/dev/shm}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
count=${2:-300}
lab_init "${1:?bench_oncommit.sh BUILD [CAMERAS]}"
lab_net
printf '#!/bin/sh\necho "$@" >> %s/commits\n' "$tmp" > "$tmp/append"
printf '#!/bin/sh\nsleep 0.1\n' > "$tmp/tenth"
chmod 755 "$tmp/append" "$tmp/tenth"

# addresses NAME SCRIPT RATE: so many cameras a second ask; who gets an address, and when.
addresses() {
  lab_dhcpd_conf
  [ -z "$2" ] || echo "on commit { execute(\"$2\", binary-to-ascii(10, 8, \".\", leased-address)); }" >> "$tmp/dhcpd1.conf"
  : > "$tmp/leases1"
  lab_dhcpd
  cameras --timeout 30s --quiet dora mac=02:00:00:01:00:01 "count=$count" "rate=$3" relay=10.20.0.1 \
    circuit=eth0/%d remote=sw-7 | tail -1 > "$tmp/out"
  lab_stop "$dhcpd_pid"
  jq -r --arg what "$1" --arg rate "$3" --arg n "$count" \
    '"\($what), \($rate) cameras/s: \(.ack) of \($n) get an address, p50 \(.p50_ms) ms, p99 \(.p99_ms) ms"' "$tmp/out"
}
for rate in 20 100; do
  addresses "dhcpd alone" "" "$rate"
  addresses "a script that appends a line" "$tmp/append" "$rate"
  addresses "a script that takes 0.1 s" "$tmp/tenth" "$rate"
done
