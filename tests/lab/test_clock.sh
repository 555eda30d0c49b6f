#!/bin/sh
# SPDX-License-Identifier: ISC
# Somebody sets the wall clock by hours while tap82 runs (a test build has a wall clock that can be
# set for it alone): holds go on as they were, what is shown follows the wall; and a restart under a
# clock that was set back holds nothing longer than stream-hold.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "${1:-build/release}"
lab_hooks
# set_clock HOURS: by how much the wall clock of tap82 is wrong from now on.
set_clock() { printf '%-20d' "$(($1 * 3600000000))" | dd of="$tmp/clock" conv=notrunc 2> /dev/null; }

lab_net
lab_dhcpd_conf
lab_dhcpd
printf 'mac,serial_number\n02:00:00:00:00:01,SN-1\n02:00:00:00:00:02,SN-2\n02:00:00:00:00:03,SN-3\n' |
  lab_devices
lab_settings="stream-hold = 20s"
lab_tap82_conf
set_clock 0
TAP82_TEST_CLOCK=$tmp/clock
export TAP82_TEST_CLOCK
lab_tap82

camera=0
ask() {
  camera=$((camera + 1))
  cameras --timeout 8s --quiet dora mac="02:00:00:00:00:0$camera" relay=10.20.0.1 circuit="eth0/$camera" \
    remote=sw > "$tmp/cameras.out" 2>&1
  wait_for 10 event_seen ".event == \"provision.handoff\" and .mac == \"02:00:00:00:00:0$camera\""
}
shown() {
  t82 devices show "02:00:00:00:00:0$1" --json > "$tmp/shown" &&
    jq -e "def s: .[0:19] + \"Z\" | fromdate; $2" "$tmp/shown" > /dev/null
}
# told N CONDITION: of the events of camera N, with s (seconds since 1970) and the first of each kind.
told() {
  events | jq -e -s "def s: .[0:19] + \"Z\" | fromdate;
    [.[] | select(.mac == \"02:00:00:00:00:0$1\")] |
    def first(\$code): [.[] | select(.event == \$code)][0];
    $2" > /dev/null
}
logged() { grep -q "$1" "$tmp/tap82.log"; }
hour=3600

check "a camera is provisioned and held" ask
until1=$(events | jq -r 'select(.event == "streams.hold_started") | .hold_until')
export until1
set_clock 5
check "the clock is set forward by 5 h: it is noticed" wait_for 5 logged 'wall clock was set forward by 18000'
check "the camera is held as before" shown 1 '.manual_streams == "held"'
check "its end is shown by the new clock" shown 1 "(.hold_until | s) - (env.until1 | s) == 5 * $hour"
check "another camera is provisioned" ask
check "its events are of the new clock" \
  told 2 "(first(\"provision.handoff\").time | s) - now | . > 4.9 * $hour and . < 5.1 * $hour"
set_clock -3
check "the clock is set back by 8 h: it is noticed" wait_for 5 logged 'wall clock was set back by 28800'
check "both holds end" wait_for 40 told 2 'first("streams.hold_ended")'
check "the first after 20 s, as the clock on the wall showed it" \
  told 1 "(first(\"streams.hold_ended\").time | s) - (env.until1 | s) | . == -3 * $hour"
check "no event but theirs ended a hold" test "$(event_count '.event == "streams.hold_ended"')" -eq 2

check "a third camera is provisioned and held" ask
lab_stop "$tap82_pid" KILL
set_clock -9
lab_tap82
check "after a crash, and the clock set back by 6 h meanwhile, it is held for 20 s at most" \
  shown 3 "(.hold_until | s) <= now - 9 * $hour + 21"
check "and no longer" wait_for 40 told 3 'first("streams.hold_ended")'
exit 0
