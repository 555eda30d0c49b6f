#!/bin/bash
# SPDX-License-Identifier: ISC
# What `make install` puts in place works, and `make uninstall` leaves nothing of it.
set -u
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
root=$(mktemp -d)
trap 'rm -rf "$root" "$root".*' EXIT
failures=0

# check NAME COMMAND…
check() {
  name=$1
  shift
  if "$@" > "$root.out" 2>&1; then
    echo "ok - $name"
  else
    echo "not ok - $name: $(head -c 300 "$root.out" | tr '\n' ' ')"
    failures=$((failures + 1))
  fi
  rm -f "$root.out"
}

# nothing COMMAND…: it succeeds when the command prints nothing.
nothing() { ! "$@" 2>&1 | grep .; }

check "install works" config/install.sh install "$build" "$root" /usr
check "the program runs" "$root/usr/bin/tap82" version
check "everybody can read what was installed" nothing find "$root" -type f ! -perm -444
check "only the folder of keys is closed" \
  test "$(find "$root" -type d ! -perm -555 -printf '%P')" = etc/tap82/keys

# ---- systemd ----

unit=$root/usr/lib/systemd/system/tap82.service
check "no placeholder is left in the unit" nothing grep -n '@[A-Z]*@' "$unit"
sed -i "s|/usr/bin/tap82|$root/usr/bin/tap82|; /^Documentation/d" "$unit"
check "systemd finds nothing wrong in the unit" nothing systemd-analyze verify "$unit"
check "exposure is 1.5 at most" systemd-analyze security --offline=true --threshold=15 "$unit"
check "sysusers takes the user" systemd-sysusers --root="$root" "$root/usr/lib/sysusers.d/tap82.conf"
check "and makes it" grep -q '^tap82:' "$root/etc/passwd"
rm -f "$root"/etc/{passwd,shadow,group,gshadow}* "$root/etc/.pwd.lock"

# ---- examples ----

examples=$root/usr/share/doc/tap82/examples
# A profile of AppArmor goes by the program's path.
cp "$(PATH=$PATH:/usr/sbin command -v dhcpd)" "$root.dhcpd"
check "dhcpd takes the example of its configuration" "$root.dhcpd" -4 -t -cf "$examples/dhcpd.conf"
sed 's/^omapi-key omapi_key/omapi-key another/' "$examples/dhcpd.conf" > "$root.conf"
refused() { ! "$@"; }
check "and would not take another key's name" refused "$root.dhcpd" -4 -t -cf "$root.conf"
check "the Grafana board is JSON with a query in every panel" jq -e \
  '[.panels[] | select(.type != "row") | .targets | length > 0] | length > 5 and all' "$examples/grafana.json"

# ---- manual ----

lint() {
  mandoc -T lint -W style "$root"/usr/share/man/man?/* 2>&1 | grep -Ev 'referenced manual not found: Xr tap82|outdated mandoc.db'
}
check "manual pages are clean" nothing lint
check "three of them" test "$(find "$root/usr/share/man" -type f | wc -l)" -eq 3

# ---- completion ----

# shellcheck disable=SC1091
. "$root/usr/share/bash-completion/completions/tap82"

# complete_to WANTED WORD…: what bash offers for the last word.
complete_to() {
  local wanted=$1
  shift
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _tap82
  [ "${COMPREPLY[*]}" = "$wanted" ] || { echo "offers: ${COMPREPLY[*]}" && return 1; }
}
check "bash completes a command" complete_to probe tap82 prob
check "an option" complete_to --circuit-id tap82 probe -i eth0 --circ
check "a value" complete_to option82 tap82 decode --filter opt
check "an event" complete_to "dhcp.unknown_server dhcp.unknown_relay" tap82 events --event dhcp.unk
check "an interface" complete_to lo tap82 probe -i lo
check "a file" complete_to Makefile tap82 decode Makef
check "the command to be helped with" complete_to probe tap82 help prob
# The words of every command's help are what is offered, no more and no less.
drift() {
  "$build/tap82" help | sed -n 's/^  \([a-z0-9]\+\) .*/\1/p' | while read -r command; do
    wanted=$("$build/tap82" help "$command" | grep -o -- '^  ....--[a-z0-9-]*' | cut -c7- | sort)
    COMP_WORDS=(tap82 "$command" --)
    COMP_CWORD=2
    _tap82
    [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" = "$wanted" ] || echo "$command: ${COMPREPLY[*]}"
  done
}
check "every option of every command" nothing drift

# zsh is asked on a terminal, as a person would: what is typed before Tab, the line that it becomes, the list.
while read -r command; do printf 'tap82 %s --\n' "$command"; done < <(
  "$build/tap82" help | sed -n 's/^  \([a-z0-9]\+\) .*/\1/p') > "$root.lines"
cat >> "$root.lines" << 'LINES'
tap82 
tap82 prob
tap82 probe --circ
tap82 decode --filter opt
tap82 events --event dhcp.unk
tap82 probe -i l
tap82 decode Makef
tap82 help prob
tap82 devices sho
LINES
python3 tests/replay/zsh_complete.py "$root/usr/share/zsh/site-functions" "$root/usr/bin/tap82" \
  < "$root.lines" > "$root.zsh" 2>&1
# becomes LINE [WORD…]: some line became this, and its list has these words.
becomes() {
  local line shown=$1
  line=$(grep -F -m 1 -- "$shown =>" "$root.zsh") || { head -c 400 "$root.zsh" && return 1; }
  shift
  for word in "$@"; do
    [[ " ${line#*=>} " == *" $word "* ]] || { echo "no $word in: $line" && return 1; }
  done
}
zsh_drift() {
  "$build/tap82" help | sed -n 's/^  \([a-z0-9]\+\) .*/\1/p' | while read -r command; do
    # shellcheck disable=SC2046
    becomes "tap82 $command --" $("$build/tap82" help "$command" | grep -o -- '^  ....--[a-z0-9-]*' | cut -c7-)
  done
}
# shellcheck disable=SC2046
check "zsh lists the commands, and what they are for" becomes "tap82 " \
  $("$build/tap82" help | sed -n 's/^  \([a-z0-9]\+\) .*/\1/p') sidecar,
check "completes a command" becomes "tap82 probe "
check "an option that takes a value" becomes "tap82 probe --circuit-id="
check "a value" becomes "tap82 decode --filter option82 "
check "shows events that may be meant" becomes "tap82 events --event dhcp.unknown_" \
  dhcp.unknown_relay dhcp.unknown_server
check "completes an interface" becomes "tap82 probe -i lo "
check "a file" becomes "tap82 decode Makefile "
check "the command to be helped with" becomes "tap82 help probe "
check "an operand" becomes "tap82 devices show "
check "and lists every option of every command" nothing zsh_drift
rm -f "$root.lines" "$root.zsh"

# ---- and away again ----

touch "$root/etc/tap82/tap82.ini"
check "uninstall works" config/install.sh uninstall "$build" "$root" /usr
check "what a person added stays, and nothing else" \
  test "$(find "$root" -type f -printf '%P\n')" = etc/tap82/tap82.ini
rm "$root/etc/tap82/tap82.ini"
config/install.sh install "$build" "$root" /usr
config/install.sh uninstall "$build" "$root" /usr
check "uninstall leaves nothing" nothing find "$root" -mindepth 1
[ "$failures" -eq 0 ]
