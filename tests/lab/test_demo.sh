#!/bin/sh
# SPDX-License-Identifier: ISC
# The demo verifies itself; this verifies that it is quick and leaves nothing behind, also when it is
# broken off.
set -u

build=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# result NAME STATUS [WHY]
result() {
  if [ "$2" -eq 0 ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: ${3:-}"
    failed=1
  fi
}

# What a demo with that pid could have left: namespaces, files, processes in its namespaces.
left_behind() {
  ip netns list | grep "^t82[rs]$1\\(-\\| \\|\$\\)"
  ls -d /tmp/tap82-lab-"$1".* 2> /dev/null
  pgrep -af "/tmp/tap82-lab-$1\\." | grep -v pgrep
}

# run NAME COMMAND…: the demo under the command, its pid in $pid.
run() {
  "$@" sh -c "echo \$\$ > '$work/pid'; exec '$here/demo.sh' '$build'" > "$work/out" 2>&1
  status=$?
  pid=$(cat "$work/pid")
}

began=$(date +%s)
run env
took=$(($(date +%s) - began))
result "the demo verifies all it shows" $status "$(grep -m3 '✗' "$work/out" | tr '\n' ';')"
[ $status -eq 0 ] || sed 's/^/    /' "$work/out"
[ $took -lt 60 ]
result "in under a minute" $? "$took s"
[ -z "$(left_behind "$pid")" ]
result "it leaves nothing behind" $? "$(left_behind "$pid" | tr '\n' ' ')"
grep -q "$(printf '\033')" "$work/out"
[ $? -eq 1 ]
result "no colour where there is no terminal" $?

for signal in INT TERM; do
  run timeout -s $signal 3
  [ $status -ne 0 ]
  result "broken off by SIG$signal it says that it failed" $? "exit $status"
  [ -z "$(left_behind "$pid")" ]
  result "and leaves nothing behind" $? "$(left_behind "$pid" | tr '\n' ' ')"
done
exit $failed
