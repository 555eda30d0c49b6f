#!/bin/sh
# SPDX-License-Identifier: ISC
# pcaps/scenes/NAME.pcap is what camsim makes of scenes/NAME.sim, byte for byte: a capture and the
# words about it cannot drift apart. test_scenes.sh BUILD [--update]
set -u

build=$(cd "$1" && pwd) || exit 2
here=$(cd "$(dirname "$0")" && pwd)
pcaps=$(cd "$here/../../pcaps/scenes" && pwd) || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() {
  echo "not ok - $1"
  failed=1
}

for scene in "$here"/scenes/*.sim; do
  name=$(basename "$scene" .sim)
  if ! "$build/lab/camsim" --write "$tmp/$name.pcap" --script "$scene" > "$tmp/$name.out" 2>&1; then
    complain "$name.sim: did not go as its script expects: $(tail -1 "$tmp/$name.out")"
  elif [ "${2:-}" = --update ]; then
    cp "$tmp/$name.pcap" "$pcaps/$name.pcap" && echo "ok - $name.pcap: written"
  elif cmp -s "$tmp/$name.pcap" "$pcaps/$name.pcap"; then
    echo "ok - $name.pcap is what $name.sim says"
  else
    complain "$name.pcap: is not what $name.sim says: run test_scenes.sh BUILD --update"
  fi
done
for pcap in "$pcaps"/*.pcap; do
  [ -e "$here/scenes/$(basename "$pcap" .pcap).sim" ] || complain "$(basename "$pcap"): has no scene"
done
exit $failed
