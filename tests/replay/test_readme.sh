#!/bin/sh
# SPDX-License-Identifier: ISC
# The README's word is kept: its configuration loads, its commands, options, targets and files exist.
# shellcheck disable=SC2016  # the backquotes are the README's
set -u
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

check() {
  name=$1
  shift
  if "$@" > "$tmp/out" 2>&1; then
    echo "ok - $name"
  else
    echo "not ok - $name: $(tr '\n' ' ' < "$tmp/out")"
    bad=1
  fi
}

# The Nth fenced block of a language, without its indentation.
block() {
  awk -v lang="$1" -v want="$2" '
    /^ *```/ { if (inside) { inside = 0 } else if ($0 ~ "```" lang "$") { inside = (++n == want) } ; next }
    inside { sub(/^   /, ""); print }' README.md
}

block ini 1 > "$tmp/tap82.ini"
awk '/^   mac,serial_number/ { on = 1 } /```/ { on = 0 } on { sub(/^   /, ""); print }' README.md > "$tmp/devices.csv"
echo bWFrZSB5b3VyIG93bjogb3BlbnNzbCByYW5kIC1iYXNlNjQgMzI= > "$tmp/omapi.key"
chmod 600 "$tmp/omapi.key"
sed -i "s|/etc/tap82|$tmp|; /^\[tap82\]/a state = $tmp/tap82.db\nlisten = $tmp/tap82.sock\nevent-log = $tmp/events.jsonl" "$tmp/tap82.ini"
check "the example configuration and devices load" "$build/tap82" check -c "$tmp/tap82.ini"

block ini 2 >> "$tmp/tap82.ini"
check "the example layout loads" "$build/tap82" check -c "$tmp/tap82.ini"
# VLAN 120, slot 1, port 5, as the example's layout writes it.
"$build/tap82" option82 -c "$tmp/tap82.ini" --json 01050700781005 > "$tmp/fits" 2>&1
check "the example layout reads a circuit-id" \
  jq -e '.layouts[] | select(.layout == "acme") | .vlan == 120 and .slot == 1 and .port == 5' "$tmp/fits"

# `tap82 WORD … --option`: each in backquotes or a code block.
grep -oE 'tap82 [a-z][a-z0-9]+( [^`|│#]*)?' README.md | sort -u > "$tmp/commands"
while read -r _ word rest; do
  "$build/tap82" help "$word" > "$tmp/help" 2>&1 || continue
  for option in $(printf '%s\n' "$rest" | grep -oE -- '--[a-z][a-z0-9-]*'); do
    check "tap82 $word has $option" grep -q -- "$option" "$tmp/help"
  done
done < "$tmp/commands"
for word in run check explain status devices unknown reservations events reconcile decode replay option82 omapi probe; do
  check "tap82 $word is a command that the README tells of" sh -c "'$build/tap82' help $word && grep -q '\`tap82 $word\|\`$word\`' README.md"
done

for target in demo check test help bench deb install; do
  check "make $target is a target" sh -c "make help | awk '{print \$1}' | grep -qx $target"
done
for path in $(grep -oE '`(config|core|sniffer|tests|pcaps|include)/[A-Za-z0-9_./-]+`' README.md | tr -d '`' | sort -u); do
  check "$path is there" test -e "$path"
done
exit $bad
