#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh install|uninstall BUILD DESTDIR PREFIX: one list serves both, so that uninstall removes
# exactly what install put there. Files that a person added to /etc/tap82 stay.
set -eu

action=$1
build=$2
root=$3
prefix=$4
top=$(cd "$(dirname "$0")/.." && pwd)

share=$prefix/share
doc=$share/doc/tap82
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

# file MODE SOURCE TARGET
file() {
  case $action in
  install) install -D -m "$1" "$2" "$root$3" ;;
  uninstall)
    rm -f "$root$3"
    emptied "$(dirname "$root$3")"
    ;;
  esac
}

# Removes folders that are empty now: all in a DESTDIR, only our own on a live system.
emptied() {
  folder=$1
  while [ "${#folder}" -gt "${#root}" ]; do
    if [ -z "$root" ] && [ "${folder#*/tap82}" = "$folder" ]; then return 0; fi
    rmdir "$folder" 2> /dev/null || return 0
    folder=$(dirname "$folder")
  done
}

folder() {
  case $action in
  install) install -d -m "$1" "$root$2" ;;
  uninstall) emptied "$root$2" ;;
  esac
}

# generated NAME COMMAND…: the output of a command as a file to install
generated() {
  name=$1
  shift
  [ "$action" = uninstall ] || "$@" > "$made/$name"
}

generated tap82.service sed "s|@BINDIR@|$prefix/bin|" "$top/config/tap82.service"
generated tap82.bash "$build/tap82" completion bash
generated _tap82 "$build/tap82" completion zsh

file 755 "$build/tap82" "$prefix/bin/tap82"
file 644 "$made/tap82.service" "$prefix/lib/systemd/system/tap82.service"
file 644 "$top/config/tap82.sysusers" "$prefix/lib/sysusers.d/tap82.conf"
file 644 "$top/config/tap82.tmpfiles" "$prefix/lib/tmpfiles.d/tap82.conf"
file 644 "$top/config/tap82.logrotate" /etc/logrotate.d/tap82
for page in "$top"/config/man/*.[578]; do
  file 644 "$page" "$share/man/man${page##*.}/${page##*/}"
done
file 644 "$made/tap82.bash" "$share/bash-completion/completions/tap82"
file 644 "$made/_tap82" "$share/zsh/site-functions/_tap82"
for example in tap82.ini devices.csv dhcpd.conf prometheus-alerts.yml grafana.json; do
  file 644 "$top/config/$example" "$doc/examples/$example"
done
file 644 "$top/LICENSE" "$doc/copyright"
folder 700 /etc/tap82/keys
