#!/bin/sh
# SPDX-License-Identifier: ISC
# Faults of a dhcpd, or of the line to it, while cameras come: after each nothing is lost, nothing
# doubled; meanwhile no hot loop, one unreachable and one recovered, one line of log for each.
#
#   tap82, and the dhcpd that answers cameras ("south")  ── br0 ──  faulty_line.py ── the dhcpd ("north")
#   server namespace 2                                              server namespace 1
#
# Both are servers of the group: what north is asked for while it is ill is there when it is well. What
# a dhcpd cannot be made to do faulty_line.py does to its answers.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:?test_omapi_faults.sh BUILD}"
lab_net 2
server_ns=t82s$$-2
north_ns=t82s$$-1
stopped_for=8
[ -n "${TAP82_SOAK:-}" ] && stopped_for=60
count=0

# ---- the line, and what cameras and tap82 say ----

line() {
  ip netns exec "$north_ns" "$(dirname "$0")/faulty_line.py" 7912 127.0.0.1 "$tmp/manner" >> "$tmp/line.log" 2>&1 &
  line_pid=$!
  lab_pids="$lab_pids $line_pid"
  wait_for 5 lab_listens "$north_ns" 7912 || lab_die "the line is not there: $(tail -1 "$tmp/line.log")"
}
spoil() { echo "$1" > "$tmp/manner"; }
mac() { printf '02:00:00:00:%02x:%02x' $(($1 / 256)) $(($1 % 256)); }
asks() { # HOW MANY
  cameras --timeout 30s --server-mac 02:82:00:00:00:03 dora "mac=$(mac $((count + 1)))" "count=$1" tries=20 \
    server=10.99.0.3 relay=10.20.0.1 circuit=eth0/%d remote=sw-7 >> "$tmp/cameras.out"
  count=$((count + $1))
}
told() { event_count ".event == \"server.$1\""; }
is_well() { [ "$(events | jq -r 'select(.event | startswith("server.")) | .event' | tail -1 | grep -v server.recovered)" = "" ]; }
ends() { echo $(($(told unreachable) + $(told refused))); }
lines_of_log() { grep -c 'server north' "$tmp/tap82.log"; }
connections() { grep -c connection "$tmp/line.log"; }
ticks() { awk '{print $14 + $15}' "/proc/$tap82_pid/stat"; } # of 10 ms
leased() { jq -r 'select(.result == "ack") | "\(.mac) \(.ip)"' "$tmp/cameras.out" | sort; }
created() { events | jq -r 'select(.event == "dhcp.reservation_created") | "\(.mac) \(.ip)"' | sort; }
# What a leases file has and has not deleted: "MAC ADDRESS", a line for each host.
hosts_in() {
  awk '$1 == "host" {name = $2; mac = ip = ""; gone = 0} $1 == "hardware" {mac = $3} $1 == "fixed-address" {ip = $2}
    $1 == "deleted;" {gone = 1} /^}/ && name {if (gone) delete has[name]; else has[name] = mac " " ip; name = ""}
    END {for (name in has) print has[name]}' "$1" | tr -d ';' | sort
}
north_has_all() {
  leased > "$tmp/leased"
  hosts_in "$tmp/small/leases1" > "$tmp/hosts"
  [ "$(wc -l < "$tmp/leased")" -eq $count ] && diff "$tmp/leased" "$tmp/hosts"
}

# ---- the scheme of it ----

# fault NAME TOLD SECONDS BEGIN END: TOLD times north is told as away and as back; "any": at most once;
# "refused": once as back, before that as refused, and perhaps as away before that.
fault() {
  had_ends=$(ends) had_recovered=$(told recovered) had_lines=$(lines_of_log) had_connections=$(connections) had_ticks=$(ticks)
  $4
  asks 3
  sleep "$3"
  used=$(($(ticks) - had_ticks))
  check "$1: no hot loop ($used of $(($3 * 100)) ticks)" test $used -lt $(($3 * 20 + 20))
  tried=$(($(connections) - had_connections))
  check "$1: patience ($tried connections)" test $tried -le $((4 + $3 * 2))
  $5
  check "$1: nothing is lost" wait_for 30 north_has_all
  check "$1: it is over" wait_for 20 is_well
  away=$(($(ends) - had_ends)) back=$(($(told recovered) - had_recovered))
  case $2 in
  any) check "$1: told once, or not at all" test $away -le 1 -a $away -eq $back ;;
  refused) check "$1: told as refused, and as well again" test $back -eq 1 -a $away -le 2 -a "$(told refused)" -gt 0 ;;
  *) check "$1: told $2 times" test $away -eq "$2" -a $back -eq "$2" ;;
  esac
  [ $away -eq 0 ] || sleep 6 # what is ill again as soon as it was well is watched for longer
  check "$1: a line of log for each ($away, $back)" test $(($(lines_of_log) - had_lines)) -eq $((away + back))
}
nothing() { :; }

# ---- what goes wrong ----

spoil_deaf() { spoil deaf; }
spoil_mute() { spoil mute; }
spoil_closes() { spoil closes; }
spoil_some() { spoil some; }
spoil_resets() { spoil resets; }
spoil_garbage() { spoil garbage; }
spoil_huge() { spoil huge; }
spoil_slow() { spoil slow; }
spoil_old() { lab_stop "$line_pid"; spoil old; line; }
well() { spoil pass; }
well_and_asked() { spoil pass; t82 reservations retry "$(mac 1)" > /dev/null 2>&1; }

north_stopped() { kill -STOP "$north_pid"; }
north_goes_on() { kill -CONT "$north_pid"; }
north_killed() { lab_stop "$north_pid" KILL; }
north() {
  lab_leases=$tmp/small
  lab_dhcpd 1
  lab_leases=
  north_pid=$dhcpd_pid
}
# Killed while it writes what sixty cameras are to have, and started at once.
north_anew_in_mid_batch() {
  cameras --timeout 60s --server-mac 02:82:00:00:00:03 dora "mac=$(mac $((count + 1)))" count=60 rate=100 tries=20 \
    server=10.99.0.3 relay=10.20.0.1 circuit=eth0/%d remote=sw-7 >> "$tmp/cameras.out" &
  storm_pid=$!
  sleep 0.6
  lab_stop "$north_pid" KILL
  north
  wait $storm_pid
  count=$((count + 60))
}
cable_out() {
  ip -n "$relay_ns" link set p1 down
  t82 reconcile > /dev/null 2>&1 & # an idle connection asks for nothing
}
cable_in() { ip -n "$relay_ns" link set p1 up; }
# Its host was switched off and on: of its connections it knows nothing, and ours is still open.
peer_forgets() {
  ip -n "$relay_ns" link set p1 down
  lab_stop "$line_pid"
  line
  cable_in
}
other_secret() {
  lab_stop "$north_pid"
  lab_right_key=$lab_key
  lab_key=$(head -c 32 /dev/urandom | base64)
  north_conf
  north
}
right_secret() {
  lab_stop "$north_pid"
  lab_key=$lab_right_key
  north_conf
  north
  well_and_asked
}
disk_full() { head -c 3000000 /dev/zero > "$tmp/small/filler" 2> /dev/null; }
disk_well() { rm "$tmp/small/filler"; }

# Ten reservations every 10 ms, when it is back; a dhcpd answers ten times as many.
is_looked_at_gently() {
  back=$(events | jq -r 'select(.event == "server.recovered" and .server == "north") | .time' | tail -1)
  over=$(t82 status --json | jq -r '.servers[0].reconcile.time')
  took=$(($(date -d "$over" +%s%3N) - $(date -d "$back" +%s%3N)))
  check "looked at gently when it is back ($count in $took ms)" test "$took" -ge $((count - 20)) -a "$count" -gt 50
}
# North is compared with the table at a snail's pace; south comes back meanwhile and lacks a host.
heals_while_another_is_looked_at() {
  spoil slow
  t82 reconcile > "$tmp/findings" 2>&1 &
  asked_pid=$!
  lab_pids="$lab_pids $asked_pid"
  lab_stop "$south_pid"
  awk '/^host / {drop = ++n == 1} !drop; /^}/ {drop = 0}' "$tmp/leases2" > "$tmp/leases2.cut"
  mv "$tmp/leases2.cut" "$tmp/leases2"
  check "south lacks a host" south_lacks_some
  sleep 2 # told as unreachable
  lab_dhcpd 2
  check "south is back" wait_for 30 south_is_back
  check "north is being compared still" kill -0 $asked_pid
  spoil pass
  check "south heals, though another one was looked at when it was back" wait_for 30 south_has_all
}
south_is_back() { [ "$(grep -c 'server south: logged in' "$tmp/tap82.log")" -eq 2 ]; }
south_has_all() { hosts_in "$tmp/leases2" | diff "$tmp/leased" -; }
south_lacks_some() { ! south_has_all; }

# North has no ranges: cameras are south's.
north_conf() {
  lab_dhcpd_conf 600 1
  sed -i 's/ range [^;]*;//' "$tmp/dhcpd1.conf"
}

begin() {
  north_conf
  lab_dhcpd_conf 600 2
  {
    echo mac,serial_number
    for n in $(seq 1 300); do echo "$(mac "$n"),SN-$n"; done
  } | lab_devices
  lab_tap82_conf
  sed -i 's/^servers = north/servers = north, south/
    s/^address       = 10.99.0.1/address       = 10.99.0.1\nport          = 7912/' "$tmp/tap82.ini"
  cat >> "$tmp/tap82.ini" << CONF

[server south]
address       = 10.99.0.3
key-name      = omapi_key
key-file      = $lab_key_file
key-algorithm = hmac-sha256
CONF
  mkdir "$tmp/small"
  mount -t tmpfs -o size=2m tmpfs "$tmp/small" || lab_die "no tmpfs"
  lab_mounts=$tmp/small
  north
  lab_dhcpd 2
  south_pid=$dhcpd_pid
  spoil pass
  line
  lab_tap82
}

begin
fault "nothing" 0 1 nothing nothing
fault "questions do not arrive" 1 8 spoil_deaf well
fault "answers do not arrive" 1 8 spoil_mute well
fault "closed at each question" 1 6 spoil_closes well
fault "closed at each third question" 1 8 spoil_some well
fault "reset at each question" 1 6 spoil_resets well
fault "garbage for an answer" 1 6 spoil_garbage well
fault "a huge length in the answer" 1 6 spoil_huge well
fault "a slow reader and writer" 0 3 spoil_slow well
fault "dhcpd stopped for $stopped_for s" 1 "$stopped_for" north_stopped north_goes_on
fault "dhcpd killed" 1 3 north_killed north
fault "dhcpd killed in mid-batch and started" any 1 north_anew_in_mid_batch nothing
fault "the cable is out" 1 12 cable_out cable_in
fault "half open" any 1 peer_forgets nothing
fault "another secret" refused 6 other_secret right_secret
fault "an old dhcpd that knows hmac-md5 only" refused 6 spoil_old well_and_asked
is_looked_at_gently
fault "its disk is full" 0 8 disk_full disk_well
heals_while_another_is_looked_at
created > "$tmp/created"
check "nothing is doubled: a reservation_created for each lease" diff "$tmp/leased" "$tmp/created"
hosts_in "$tmp/leases2" > "$tmp/hosts2"
check "south has the same hosts" diff "$tmp/leased" "$tmp/hosts2"
check "no event has the id of another" test -z "$(events | jq -r .id | sort | uniq -d)"
