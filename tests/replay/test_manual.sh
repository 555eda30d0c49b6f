#!/bin/sh
# SPDX-License-Identifier: ISC
# tap82-events(7) is true of what replay prints: no event carries a field or a reason that the page
# does not give it. test_manual.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 2
page=config/man/tap82-events.7
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

# "CODE FIELD" for each field of each event, those of all events as "* FIELD".
awk '
  /^\.Sh/ { section = $2 }
  section == "EVENTS" && /^\.It Ic/ { code = $3 }
  after && /^\.Va/ { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]/) print code, $i }
  { after = /^Fields:/ }' "$page" > "$tmp/documented"
printf '* %s\n' time id event title severity >> "$tmp/documented"
awk '/^\.Sh/ { section = $2 } section == "REASONS" && /^\.It Ic/ { print $3 }' "$page" > "$tmp/reasons"

cat tests/replay/golden/*.out | grep -a '^{' | jq -c -rR 'fromjson? | select(.event)' > "$tmp/events"
jq -r '.event as $e | keys[] | "\($e) \(.)"' "$tmp/events" | sort | uniq -c |
  awk 'NR == FNR { known[$1 " " $2]; next } !(("* " $3) in known) && !(($2 " " $3) in known) { print $2, $3 }' \
    "$tmp/documented" - > "$tmp/missing"
if [ -s "$tmp/events" ] && [ ! -s "$tmp/missing" ]; then
  echo "ok - the fields of every event in the goldens are in its manual"
else
  echo "not ok - fields that $page does not name: $(tr '\n' ',' < "$tmp/missing")"
  bad=1
fi
jq -r '.reason // empty' "$tmp/events" | sort -u | grep -vxF -f "$tmp/reasons" > "$tmp/missing"
if [ ! -s "$tmp/missing" ]; then
  echo "ok - so is every reason"
else
  echo "not ok - reasons that $page does not name: $(tr '\n' ',' < "$tmp/missing")"
  bad=1
fi
exit $bad
