#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs the Debian packages that building and testing need; silent and quick when all are there.
set -eu

build="gcc make pkg-config libpcap-dev libnet1-dev uthash-dev libiniparser-dev libevent-dev
  libsqlite3-dev nettle-dev libjansson-dev libcurl4-openssl-dev libseccomp-dev libcap-ng-dev"
tests="libcmocka-dev isc-dhcp-server isc-dhcp-relay isc-dhcp-client udhcpc tshark tcpdump valgrind
  dhcpdump freeradius-utils
  iproute2 ethtool clang clang-format clang-tidy cppcheck shellcheck libclang-rt-14-dev python3
  python3-pypureomapi sqlite3 jq curl procps openssl faketime e2fsprogs"
people="mandoc dnsmasq-base prometheus chromium systemd bash zsh debhelper lintian fakeroot debootstrap systemd-container"

missing=""
for package in $build $tests $people; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "tap82: packages missing:$missing: run 'sudo make deps'" >&2
  exit 1
fi
# dhcpd and dhcrelay are wanted as programs: their services must not start on this host.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$guard"
  chmod 755 "$guard"
  trap 'rm -f "$guard"' EXIT
  trap 'exit 1' INT TERM
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing > /dev/null
