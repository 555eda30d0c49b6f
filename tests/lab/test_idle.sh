#!/bin/sh
# SPDX-License-Identifier: ISC
# What tap82 takes while nothing happens, with 10 000 devices: the memory of its own, of all
# processes, without the ring (`buffer`) and what it shares with others (libraries).
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:?test_idle.sh BUILD}"
lab_net
lab_dhcpd_conf
{
  echo mac,serial_number
  for n in $(seq 1 10000); do printf '02:00:00:01:%02x:%02x,SN-%d\n' $((n / 256)) $((n % 256)) "$n"; done
} | lab_devices
lab_tap82_conf
lab_dhcpd

# kib FIELD PID…: of all of them.
kib() {
  field=$1
  shift
  for process in "$@"; do cat "/proc/$process/smaps_rollup"; done | awk -v f="$field:" '$1 == f {n += $2} END {print n}'
}
ring() { awk '/ socket:/ {here = 1} here && /^Rss:/ {print $2; exit}' "/proc/$1/smaps"; }
fits() { [ "$1" -le 8192 ] || { echo "$1 KiB" && false; }; }

# idle WHEN
idle() {
  lab_tap82
  sleep 1
  family=$(lab_family)
  # shellcheck disable=SC2086 # words
  own=$(kib Pss_Anon $family)
  # shellcheck disable=SC2086
  echo "    $1: $(kib Pss $family) KiB in all; the ring $(ring "$(lab_sniffer_pid)"), of its own $own"
  check "$1: all processes have 8 MiB of their own at most" fits "$own"
  lab_stop "$tap82_pid"
}
idle "at first"
idle "started again"
exit "$lab_failures"
