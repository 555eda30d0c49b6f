#!/bin/sh
# SPDX-License-Identifier: ISC
# The Debian package: built, lintian-clean, with what `make install` installs; installed in a fresh
# Debian 12 and started there by its systemd. debootstrap asks a mirror the first time; the fresh
# system and the packages that ours depends on are kept in build/cache for a month.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2

check "make deb builds a package" make --no-print-directory deb
package=$(find build/deb -name 'tap82_*.deb')
check "lintian finds nothing" sh -c "! lintian --fail-on error,warning --display-level '>=warning' \
  build/deb/*.changes 2>&1 | grep -v '^running with root'"
dpkg-deb -x "$package" "$tmp/root"
check "the program in it runs" "$tmp/root/usr/bin/tap82" version
check "make install installs elsewhere" \
  make --no-print-directory install PREFIX=/usr DESTDIR="$tmp/plain" VARIANT="$(basename "$build")"
# Paths without the differences in where Debian wants things, and without its own.
plain() {
  find "$1" -type f -printf '%P\n' |
    sed 's|^lib/systemd|usr/lib/systemd|; s|vendor-completions|site-functions|; s|\.gz$||; /changelog/d; /lintian/d' | sort
}
plain "$tmp/root" > "$tmp/packaged"
plain "$tmp/plain" > "$tmp/installed"
check "it has what make install installs" diff "$tmp/installed" "$tmp/packaged"

# ---- a fresh Debian 12 with a systemd of its own ----

system=$tmp/bookworm
cache=build/cache/bookworm.tar
in_system() { DEBIAN_FRONTEND=noninteractive chroot "$system" "$@"; }
# The names of what the package depends on, without versions.
depends() { dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//' | tr -d ' '; }
# shellcheck disable=SC2046 # words
make_system() {
  rm -f "$cache"
  mkdir -p build/cache
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,logrotate bookworm "$system" &&
    in_system apt-get install -y -qq --download-only --no-install-recommends $(depends) &&
    tar -C "$system" -cf "$cache.new" . && mv "$cache.new" "$cache"
}
unpack_system() { mkdir "$system" && tar -C "$system" -xf "$cache"; }

if [ -n "$(find "$cache" -mtime -30 2> /dev/null)" ]; then
  check "a fresh Debian 12 is unpacked" unpack_system
elif [ -n "${TAP82_SOAK:-}" ] || curl -sfI --max-time 10 http://deb.debian.org/debian/ > /dev/null; then
  check "debootstrap makes a fresh Debian 12" make_system
else
  echo "no mirror answers: the package is not tried on a fresh Debian here; TAP82_SOAK=1 insists"
  exit "$((lab_failures > 0))"
fi
cp "$package" "$system/tmp/tap82.deb"
check "the package installs there" in_system apt install -y -qq --no-install-recommends /tmp/tap82.deb
check "its user exists" in_system id tap82
check "its folder of keys is root's alone" test "$(stat -c '%a %U' "$system/etc/tap82/keys")" = "700 root"

lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
sed -e '/^state /d; /^listen /d; /^event-log /d; /^user /d' \
  -e 's|^devices .*|devices = /etc/tap82/devices.csv|; s|^key-file .*|key-file = /etc/tap82/keys/omapi.key|' \
  "$tmp/tap82.ini" > "$system/etc/tap82/tap82.ini"
printf 'mac,serial_number\n02:82:00:00:30:01,SN1\n' > "$system/etc/tap82/devices.csv"
install -m 600 "$lab_key_file" "$system/etc/tap82/keys/omapi.key"

systemd-nspawn --quiet --register=no --keep-unit --network-namespace-path="/run/netns/$server_ns" \
  -D "$system" -b < /dev/null > "$tmp/boot.log" 2>&1 &
nspawn_pid=$!
lab_pids="$lab_pids $nspawn_pid"
wait_for 10 pgrep -P "$nspawn_pid" || lab_die "systemd-nspawn does not start"
first=$(pgrep -P "$nspawn_pid" | head -1)
lab_pids="$first $lab_pids"
inside() { nsenter -t "$first" -m -u -i -p -- "$@"; }
socket=/proc/$first/root/run/tap82/tap82.sock
answers() { curl -sf --max-time 2 --unix-socket "$socket" http://localhost/healthz; }

check "it boots, and the service becomes active" wait_for 60 inside systemctl is-active tap82
check "it answers" wait_for 10 answers
check "users can be made again" inside systemd-sysusers
check "and folders" inside systemd-tmpfiles --create
check "it is enabled for the next boot" inside systemctl enable --now tap82
check "under the unit's limits" sh -c \
  "nsenter -t $first -m -u -i -p -- systemctl show tap82 -p User -p NoNewPrivileges -p ProtectSystem |
   sort | tr '\\n' ' ' | grep -qx 'NoNewPrivileges=yes ProtectSystem=strict User=tap82 '"
check "a camera gets its address" cameras dora mac=02:82:00:00:30:01 relay=10.50.0.1 circuit=01 remote=02
check "and its reservation, with a key that only root can read" wait_for 10 host_is 02:82:00:00:30:01 10.50.0.10
check "the event log is where logrotate looks" wait_for 5 inside grep -q provision.handoff /var/log/tap82/events.jsonl
in_journal() { inside journalctl -o cat TAP82_MAC=02:82:00:00:30:01 TAP82_EVENT=provision.handoff | grep -q handoff; }
check "the journal finds events by their fields" wait_for 5 in_journal
check "and by their kind" inside journalctl -o cat TAP82_EVENT=provision.handoff
service_spoke() { inside journalctl --no-pager -u tap82 | grep -q 'tap82\['; }
check "and what the service said" service_spoke
log_grows() { inside grep -q '"mac":"02:82:00:00:30:02"' /var/log/tap82/events.jsonl; }
check "logrotate moves it away" inside logrotate -f /etc/logrotate.d/tap82
check "as a whole" inside grep -q provision.handoff /var/log/tap82/events.jsonl.1
check "and what happens then" cameras dora mac=02:82:00:00:30:02 relay=10.50.0.1 circuit=02 remote=02
check "is in a new one" wait_for 10 log_grows
check "a reload is taken" inside systemctl reload tap82
check "and it stays active" inside systemctl is-active tap82
check "it is restarted after a crash" inside systemctl kill --kill-whom=main --signal=KILL tap82
check "and answers again" wait_for 20 answers
check "it stops well" inside systemctl stop tap82
check "with success" sh -c "nsenter -t $first -m -u -i -p -- systemctl show tap82 -p Result | grep -qx Result=success"
[ "$lab_failures" -eq 0 ] || inside journalctl --no-pager -u tap82 | tail -20
check "the package can be purged" inside apt-get purge -y -qq tap82
check "and leaves no program" test ! -e "$system/usr/bin/tap82"
