#!/bin/sh
# SPDX-License-Identifier: ISC
# The Debian package: built, lintian-clean, with what `make install` installs. With TAP82_SOAK it
# is installed in a fresh Debian 12 (debootstrap: a mirror is asked) and started there.
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
config/install.sh install "$build" "$tmp/plain" /usr
# Paths without the differences in where Debian wants things, and without its own.
plain() {
  find "$1" -type f -printf '%P\n' |
    sed 's|^lib/systemd|usr/lib/systemd|; s|vendor-completions|site-functions|; s|\.gz$||; /changelog/d' | sort
}
plain "$tmp/root" > "$tmp/packaged"
plain "$tmp/plain" > "$tmp/installed"
check "it has what make install installs" diff "$tmp/installed" "$tmp/packaged"
[ -n "${TAP82_SOAK:-}" ] || exit 0

# ---- a fresh Debian 12 ----

system=$tmp/bookworm
check "debootstrap makes a fresh Debian 12" debootstrap --variant=minbase bookworm "$system"
cp "$package" "$system/tmp/tap82.deb"
in_system() { DEBIAN_FRONTEND=noninteractive chroot "$system" "$@"; }
printf '#!/bin/sh\nexit 101\n' > "$system/usr/sbin/policy-rc.d"
chmod 755 "$system/usr/sbin/policy-rc.d"
check "the package installs there" in_system apt-get install -y -qq --no-install-recommends /tmp/tap82.deb
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
for folder in run lib log; do
  in_system install -d -o tap82 -g tap82 "/var/$folder/tap82"
done
in_system install -d -o tap82 -g tap82 /run/tap82
check "the configuration is valid there" in_system tap82 check
ip netns exec "$server_ns" chroot "$system" tap82 run > "$tmp/tap82.log" 2>&1 &
lab_pids="$lab_pids $!"
fresh_answers() { curl -sf --unix-socket "$system/run/tap82/tap82.sock" http://localhost/healthz; }
check "it starts with its own defaults" wait_for 10 fresh_answers
check "a camera gets its address" cameras dora mac=02:82:00:00:30:01 relay=10.50.0.1 circuit=01 remote=02
check "and its reservation" wait_for 10 host_is 02:82:00:00:30:01 10.50.0.10
check "the package can be removed, and purged" in_system apt-get purge -y -qq tap82
check "and leaves no program" test ! -e "$system/usr/bin/tap82"
