#!/bin/sh
# SPDX-License-Identifier: ISC
# The README's word is kept: its configurations load, its options, targets and files exist, and every command
# in it is run: here, in tests/lab/test_readme.sh, or where tests/readme.commands says.
# shellcheck disable=SC2016  # the backquotes are the README's
set -u
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source=tests/readme.sh
. tests/readme.sh
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

# without SECTION…: the configuration on stdin less these sections.
without() {
  awk -v gone=" $* " '/^\[/ { name = substr($1, 2); sub(/\]$/, "", name); skip = index(gone, " " name " ") } !skip'
}

block ini 1 > "$tmp/first.ini"
awk '/^   mac,serial_number/ { on = 1 } /```/ { on = 0 } on { sub(/^   /, ""); print }' README.md > "$tmp/devices.csv"
mkdir "$tmp/keys"
echo bWFrZSB5b3VyIG93bjogb3BlbnNzbCByYW5kIC1iYXNlNjQgMzI= | tee "$tmp/keys/omapi.key" > "$tmp/omapi.key"
chmod 600 "$tmp/omapi.key" "$tmp/keys/omapi.key"
# Each block of configuration loads, in the place of what it speaks of.
for n in $(seq "$(grep -c '```ini$' README.md)"); do
  block ini "$n" > "$tmp/block.ini"
  case $(grep -o '^\[[a-z0-9]*' "$tmp/block.ini" | tr -d '[' | sort -u | tr '\n' ' ') in
  *tap82*) : > "$tmp/tap82.ini" ;;
  "layout switches ") cat "$tmp/first.ini" > "$tmp/tap82.ini" ;;
  "capture ") without capture < "$tmp/first.ini" > "$tmp/tap82.ini" ;;
  "group server ") without server group < "$tmp/first.ini" > "$tmp/tap82.ini" ;;
  *) echo "not ok - block $n of the configuration is of no known kind" && bad=1 ;;
  esac
  cat "$tmp/block.ini" >> "$tmp/tap82.ini"
  sed -i "s|/etc/tap82|$tmp|; /^\[tap82\]/a state = $tmp/tap82.db\nlisten = $tmp/tap82.sock\nevent-log = $tmp/events.jsonl" \
    "$tmp/tap82.ini"
  check "block $n of the configuration loads: $(grep -m 1 '^\[' "$tmp/block.ini")" "$build/tap82" check -c "$tmp/tap82.ini"
done
# The last one is the layout's. VLAN 120, slot 1, port 5, as it writes them.
"$build/tap82" option82 -c "$tmp/tap82.ini" --json 01050700781005 > "$tmp/fits" 2>&1
check "the example layout reads a circuit-id" \
  jq -e '.layouts[] | select(.layout == "acme") | .vlan == 120 and .slot == 1 and .port == 5' "$tmp/fits"

# ---- every command is run ----

grep -v '^#' tests/readme.commands | grep . | sed 's/ => .*//' | sort -u > "$tmp/rows"
readme_commands > "$tmp/shown"
check "every command of the README has its place in tests/readme.commands, and no other" diff "$tmp/shown" "$tmp/rows"
sed -n 's/.* => \([^ :]*[/.][^ :]*\): \(.*\)/\1\t\2/p' tests/readme.commands > "$tmp/elsewhere"
while IFS="$(printf '\t')" read -r file words; do
  check "$file runs: $words" grep -qF -- "$words" "$file"
done < "$tmp/elsewhere"

mkdir "$tmp/bin"
cat > "$tmp/bin/tap82" << SH
#!/bin/sh
case \$1 in replay) conf=$tmp/lab.ini ;; *) conf=$tmp/tap82.ini ;; esac
exec "$build/tap82" "\$@" -c "\$conf"
SH
chmod 755 "$tmp/bin/tap82"
sed "s|tests/replay/conf|$PWD/&|" tests/replay/conf/lab.ini > "$tmp/lab.ini"
cp pcaps/scenes/restart.pcap "$tmp/yesterday.pcap"
# shellcheck disable=SC2317 # check calls it
# runs EXITS COMMAND: in a folder of its own, one of these exit codes, and not without a word.
runs() {
  (
    case $2 in tap82*) cd "$tmp" || exit 2 ;; esac
    PATH=$tmp/bin:$PATH sh -c "$(echo "$2" | sed "s|HEX|0106000400780102020800060011223344ff|; s|PCAP…|yesterday.pcap|")"
  ) > "$tmp/said" 2>&1
  code=$?
  case " $1 " in *" $code "*) ;; *) echo "exit $code: $(tail -3 "$tmp/said")" && return 1 ;; esac
  [ -s "$tmp/said" ] || echo "$2" | grep -q '^make -n$\|report'
}
readme_rows here > "$tmp/here"
while IFS="$(printf '\t')" read -r exits command; do
  check "$command" runs "$exits" "$command"
done < "$tmp/here"
check "and the report is written" test -s "$tmp/yesterday.html"

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
