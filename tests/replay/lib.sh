# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What the scripts here have in common; $1 is the build. Gives $build, $tmp (removed at the end), $failures;
# the working directory is the project's top. What stands in $pid and $pids ends with the script.
# shellcheck disable=SC2034
build=$(cd "${1:?$(basename "$0") BUILD}" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
tmp=$(mktemp -d "/tmp/tap82-$(basename "$0" .sh)-$$.XXXXXX")
failures=0
pid="" pids=""
cleanup() {
  for one in $pid $pids; do kill "$one" 2> /dev/null && wait "$one" 2> /dev/null; done
  rm -rf "${tmp:?}"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# check NAME COMMAND…: what it said is told when it failed, and the end of $tmp/log.
check() {
  name=$1
  shift
  if "$@" > "$tmp/out" 2>&1; then
    echo "ok - $name"
  else
    echo "not ok - $name: $(tail -3 "$tmp/out" | tr '\n' ' ') $(tail -2 "$tmp/log" 2> /dev/null)"
    failures=$((failures + 1))
  fi
}
# wait_for SECONDS COMMAND…
wait_for() {
  tries=$(($1 * 20))
  shift
  while ! "$@" > /dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.05
  done
}
