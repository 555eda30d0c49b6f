#!/bin/sh
# SPDX-License-Identifier: ISC
# Golden captures: test_goldens.sh BUILD [--update] [NAME…]
#
# TESTLIST has a line for each: its name and the command. The whole of what the command prints, its
# complaints and its exit code are compared byte for byte with golden/NAME.out. FACTS says, apart
# from the goldens, what must be in the output and why: a reader can check a line of it against
# the contract, and a golden that was recorded wrongly fails there.
# --update writes the goldens anew and shows what changed, to be read before it is committed.
set -u

build=$(cd "$1" && pwd) || exit 2
shift
update=no
if [ "${1:-}" = --update ]; then
  update=yes
  shift
fi
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() {
  echo "not ok - $1"
  failed=1
}

# wanted NAME LIST…: no list is all.
wanted() {
  [ $# -eq 1 ] && return 0
  wanted_name=$1
  shift
  for one in "$@"; do [ "$one" = "$wanted_name" ] && return 0; done
  return 1
}

# Words are split as in a shell without expansion; paths are as seen from the project's top.
run_line() {
  command=$(echo "$2" | sed 's|{pcaps}|pcaps|g; s|{conf}|tests/replay/conf|g')
  case $command in
  '! '*) echo "${command#! }" | TAP82=$build/tap82 TZ=UTC sh > "$tmp/out" 2> "$tmp/err" ;;
  *) (
    set -f
    # shellcheck disable=SC2086
    TZ=UTC "$build/tap82" $command
  ) < /dev/null > "$tmp/out" 2> "$tmp/err" ;;
  esac
  status=$?
  cp "$tmp/out" "$tmp/$1.json"
  {
    cat "$tmp/out"
    [ -s "$tmp/err" ] && sed 's/^/[stderr] /' "$tmp/err"
    echo "[exit $status]"
  } > "$tmp/$1.out"
}

compare() {
  golden=$here/golden/$1.out
  if [ $update = yes ]; then
    [ -e "$golden" ] || : > "$golden"
    diff -u "$golden" "$tmp/$1.out"
    cp "$tmp/$1.out" "$golden"
    echo "ok - $1: written"
  elif [ ! -e "$golden" ]; then
    complain "$1: there is no golden/$1.out"
  elif cmp -s "$golden" "$tmp/$1.out"; then
    echo "ok - $1"
  else
    complain "$1: $(diff "$golden" "$tmp/$1.out" | grep -c '^[<>]') lines differ"
    diff -u "$golden" "$tmp/$1.out" | head -12 | cut -c1-400 | sed 's/^/    /'
  fi
}

seen=""
while read -r name command; do
  case $name in '' | '#'*) continue ;; esac
  seen="$seen $name"
  wanted "$name" "$@" || continue
  run_line "$name" "$command"
  compare "$name"
done < "$here/TESTLIST"

# A fact: NAME: words: a jq condition over the list of all records that NAME printed.
while IFS= read -r line; do
  case $line in '' | '#'*) continue ;; esac
  name=${line%%: *}
  rest=${line#*: }
  words=${rest%%: *}
  condition=${rest#*: }
  wanted "$name" "$@" || continue
  if [ ! -e "$tmp/$name.json" ]; then
    complain "$name: $words: there is no such line in TESTLIST"
  elif jq -e -s "$(cat "$here/facts.jq") $condition" "$tmp/$name.json" > "$tmp/jq" 2>&1; then
    echo "ok - $name: $words"
  else
    complain "$name: $words: $(head -1 "$tmp/jq" | cut -c1-120)"
  fi
done < "$here/FACTS"

# A golden that no line asks for would rot.
for golden in "$here"/golden/*.out; do
  [ -e "$golden" ] || continue
  name=$(basename "$golden" .out)
  wanted "$name" $seen || complain "golden/$name.out: no line of TESTLIST asks for it"
done
exit $failed
