#!/bin/sh
# SPDX-License-Identifier: ISC
# The README's commands that need a running tap82, a dhcpd and a camera, as they stand there.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
cd "$top" || exit 2
# shellcheck source=tests/readme.sh
. tests/readme.sh
lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
mac=00:40:8c:aa:bb:cc
printf 'mac,serial_number,name\n%s,ACCC8E012345,gate north\n' "$mac" | lab_devices
lab_tap82
check "the README's camera gets its address" cameras dora mac=$mac relay=10.20.0.1 circuit=000400780007 remote=sw7
check "and its reservation" wait_for 10 event_seen '.event == "provision.handoff"'

mkdir "$tmp/bin"
printf '#!/bin/sh\nexec "%s" "$@" -c "%s"\n' "$tap82" "$tmp/tap82.ini" > "$tmp/bin/tap82"
chmod 755 "$tmp/bin/tap82"
# runs SPACE INTERFACE EXITS COMMAND: one of these exit codes.
runs() {
  ip netns exec "$1" sh -c "PATH=$tmp/bin:\$PATH; $(echo "$4" | sed "s|eth1|$2|; s|MAC|$mac|")" > "$tmp/said" 2>&1
  code=$?
  cat "$tmp/said"
  case " $3 " in *" $code "*) ;; *) echo "exit $code" && return 1 ;; esac
}
readme_rows lab > "$tmp/rows"
while IFS="$(printf '\t')" read -r exits command; do
  check "$command" runs "$server_ns" srv0 "$exits" "$command"
done < "$tmp/rows"
readme_rows relay > "$tmp/rows"
while IFS="$(printf '\t')" read -r exits command; do
  check "$command" runs "$relay_ns" br0 "$exits" "$command"
done < "$tmp/rows"
check "and the last of them shows that option 82 came back" grep -qi 'option 82' "$tmp/said"
