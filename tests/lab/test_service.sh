#!/bin/sh
# SPDX-License-Identifier: ISC
# The unit's own command line under the unit's own limits: an unprivileged user, one capability, no
# new privileges, its system calls and address families, keys as credentials, readiness and watchdog.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
top=$(cd "$(dirname "$0")/../.." && pwd)
unit=$top/config/tap82.service
lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
lab_devices << CSV
mac,serial_number,name
02:82:00:00:20:01,SN1,Gate
CSV

# The key belongs to root alone; systemd would copy it to the credentials of the service.
mkdir "$tmp/credentials"
install -o nobody -m 400 "$lab_key_file" "$tmp/credentials/keys_tap82-lab-$$.key"
rm "$lab_key_file"
sed -i "s|^key-file .*|key-file = /etc/tap82/keys/tap82-lab-$$.key|; s|^\(user *\)=.*|\1= nobody|" "$tmp/tap82.ini"

# setting NAME: the values of a setting of the unit, in one line.
setting() { sed -n "s/^$1=//p" "$unit" | tr '\n' ' '; }

capability=$(setting AmbientCapabilities | tr 'A-Z' 'a-z' | sed 's/cap_//; s/ *$//')
check "the unit gives one capability" test "$capability" = net_raw
check "and forbids new namespaces, as confine does" test "$(setting RestrictNamespaces)" = "yes "
command=$(setting ExecStart | sed "s|@BINDIR@/tap82|$tap82|; s| *$||")
python3 "$top/tests/lab/notify_sink.py" "$tmp/notify" "$tmp/told" &
lab_pids="$lab_pids $!"
wait_for 5 test -S "$tmp/notify" || lab_die "no notification socket"
chmod 777 "$tmp/notify"

# What the unit allows: names and @groups (which hold groups) of its first list, less the "~" ones.
expand() {
  sed 's/^ *//; /^#/d; /^$/d' | while read -r name; do
    case $name in @*) systemd-analyze syscall-filter "$name" | tail -n +2 ;; *) echo "$name" ;; esac
  done
}
listed() { tr ' ' '\n' | expand | expand | expand | sed 's/^ *//; /^#/d; /^$/d' | sort -u; }
sed -n 's/^SystemCallFilter=\([^~]\)/\1/p' "$unit" | listed > "$tmp/wanted"
sed -n 's/^SystemCallFilter=~//p' "$unit" | listed > "$tmp/denied"
comm -23 "$tmp/wanted" "$tmp/denied" > "$tmp/allowed"
check "the unit's list of system calls is understood" sh -c \
  "grep -qx read '$tmp/allowed' && grep -qx seccomp '$tmp/allowed' && ! grep -qx setuid '$tmp/allowed'"

# serve COMMAND…: as the unit starts it.
serve() {
  (
    umask "$(setting UMask | tr -d ' ')"
    exec ip netns exec "$server_ns" prlimit --core=0 --memlock=1048576 \
      setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs \
      --inh-caps "-all,+$capability" --ambient-caps "-all,+$capability" --bounding-set "-all,+$capability" \
      env NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=2000000 CREDENTIALS_DIRECTORY="$tmp/credentials" \
      "$build/lab/confine" "$tmp/allowed" "$(setting RestrictAddressFamilies)" "$@"
  ) >> "$tmp/tap82.log" 2>&1 &
  tap82_pid=$!
  lab_pids="$lab_pids $tap82_pid"
}
told() { grep -q "$1" "$tmp/told"; }

# shellcheck disable=SC2086
serve $command -c "$tmp/tap82.ini"
check "the service tells that it is ready" wait_for 20 told '^READY=1'
check "and it answers" wait_for 5 lab_healthy
check "and it feeds the watchdog" wait_for 5 told '^WATCHDOG=1'

# holds PID VALUE: its sets, but the inheritable and the bounding one. These take capset() or a
# capability to be emptied, and are good only for the execution of a file that has capabilities, which
# no-new-privileges forbids.
holds() { ! grep -E '^Cap(Prm|Eff|Amb):' "/proc/$1/status" | grep -v "$2\$"; }
sniffer=$(lab_sniffer_pid)
opener=$(pgrep -P "$tap82_pid" -x tap82-opener)
check "the engine holds no capability" holds "$tap82_pid" 0000000000000000
check "nor does the process that starts sniffers" holds "$(lab_starter_pid)" 0000000000000000
check "nor does a sniffer" holds "$sniffer" 0000000000000000
check "who opens sockets for sniffers can do that, no more" grep -q '^CapPrm:.0*2000$' "/proc/$opener/status"
check "it can't hand it on" grep -q '^CapAmb:.0*$' "/proc/$opener/status"
for pid in "$sniffer" "$opener" "$(lab_starter_pid)"; do
  check "$(cat "/proc/$pid/comm") gains nothing" grep -q '^NoNewPrivs:.1' "/proc/$pid/status"
done
check "a sniffer has no way to it" sh -c "[ \$(ls -l /proc/$sniffer/fd | grep -c socket) -eq 2 ]"
check "and is under its own list of system calls" grep -q '^Seccomp_filters:.2' "/proc/$tap82_pid/status"
check "a camera gets its address" cameras dora mac=02:82:00:00:20:01 relay=10.50.0.1 circuit=01 remote=02
check "and its reservation" wait_for 15 event_seen '.event == "provision.handoff"'
check "each happening is a line of the log" grep -q \
  'tap82: dhcp.reservation_created mac=02:82:00:00:20:01 ip=10.50.0.10 server=north relay=10.50.0.1' "$tmp/tap82.log"
kill "$sniffer"
back() { pid=$(lab_sniffer_pid) && [ -n "$pid" ] && [ "$pid" != "$sniffer" ]; }
check "a sniffer that ends is replaced" wait_for 5 back
check "and it captures" wait_for 5 event_seen '.event == "sniffer.restarted"'
check "without a capability" holds "$(lab_sniffer_pid)" 0000000000000000
kill "$(lab_starter_pid)" "$opener"
check "the others go by the engine's end, not by a signal to all" sh -c "sleep 0.5; kill -0 $(lab_starter_pid) && kill -0 $opener"
check "systemd sends it to the engine alone" test "$(setting KillMode)" = "mixed "
family="$(lab_family) $opener"
check "the files are its own alone" sh -c "! find '$tmp/state' -type f -perm /027 | grep ."
kill -TERM "$tap82_pid" 2> /dev/null
check "it tells that it stops" wait_for 10 told '^STOPPING=1'
wait "$tap82_pid"
check "and stops well" test $? -eq 0
# shellcheck disable=SC2086 # words
check "nothing of it is left" wait_for 5 lab_all_gone $family

serve sh -c "python3 -c 'import socket; socket.socket(socket.AF_BLUETOOTH, socket.SOCK_RAW)'; chown 0 '$tmp/state'"
wait "$tap82_pid"
check "these limits bite" grep -q 'EAFNOSUPPORT\|Operation not permitted' "$tmp/tap82.log"
