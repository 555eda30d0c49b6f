#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds the Debian package in build/deb: deb.sh VERSION. Works from a checkout or a tarball.
set -eu
cd "$(dirname "$0")/.."

version=$1
changelog=$(dpkg-parsechangelog -l config/debian/changelog -S Version)
if [ "$changelog" != "$version" ]; then
  echo "tap82: config/debian/changelog: names $changelog: the Makefile says $version" >&2
  exit 1
fi
source=build/deb/tap82-$version
rm -rf build/deb
mkdir -p "$source"
tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$source"
mv "$source/config/debian" "$source/debian"
cd "$source"
dpkg-buildpackage -us -uc -b > ../build.log 2>&1 || {
  tail -20 ../build.log >&2
  exit 1
}
cd ..
rm -rf "tap82-$version"
for package in *.deb; do echo "build/deb/$package"; done
