#!/bin/sh
# SPDX-License-Identifier: ISC
# Proves the house rules: who may include whom, the top level, formatting, static analysis.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0

complain() {
  echo "lint: $1" >&2
  bad=1
}

# The rooms and their headers. base: nobody else; omapi: base; sniffer: base and the observation;
# engine: base, the observation and omapi; cli: everything.
base="err|buf|addr|clock|clock_hook|trial_hook|log|loop|http|writer|observation|sha|failpoint|csv|file|notify|journal|secret|curl|pass"
omapi="omapi_codec|omapi_key|omapi_batch|omapi_conn|dhcpd"
sniffer="problem|options|capture|capture_file|filter|frame|reassembly|dhcp|option82|radius|layout|sandbox|message|sniffer|dhcp_write|option82_write|radius_write|ladder|packet_socket"

room() {
  folder=$1
  allowed=$2
  find "$folder" -maxdepth 1 -name '*.[ch]' -exec grep -nE '#include "' {} + |
    grep -vE "#include \"tap82/($allowed)\.h\"|#include \"[a-z0-9_]+\.h\"" |
    sed "s|^|$folder may not include: |" | grep . && bad=1
}

room core/base "$base"
room core/omapi "$base|$omapi"
room sniffer "$base|$sniffer"
grep -rnE "#include \"tap82/($sniffer)\.h\"" core/*.c core/*.h 2>/dev/null | sed 's|^|the engine may not include: |' | grep . && bad=1
grep -rlE '#include <(event2|evhttp)' --include='*.[ch]' core sniffer include |
  grep -vE '^core/base/loop\.c$' | sed 's|^|knows libevent: |' | grep . && bad=1
grep -rlE '#include <sqlite3' --include='*.[ch]' core sniffer include |
  grep -vE '^core/store' | sed 's|^|knows SQLite: |' | grep . && bad=1
grep -rlE '#include <pcap' --include='*.[ch]' core sniffer include |
  grep -vE '^sniffer/(capture|filter)' | sed 's|^|knows libpcap: |' | grep . && bad=1
grep -rLE 'SPDX-License-Identifier' --include='*.[ch]' --include='*.sh' core sniffer include tests config |
  sed 's|^|no SPDX line: |' | grep . && bad=1

extra=$(git ls-files | cut -d/ -f1 | sort -u |
  grep -Ev '^(sniffer|core|include|tests|pcaps|config|Makefile|README.md|LICENSE|\..*)$')
[ -z "$extra" ] || complain "at the top level: $extra"

git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror 2>&1 | grep -E 'error|warning' | head -20 |
  grep . && bad=1
cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
  --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro \
  --suppress=normalCheckLevelMaxBranches --suppress=getpwnamCalled --suppress=readdirCalled --suppress=invalidFunctionArg:core/base/secret.c \
  --suppress=comparePointers:core/page.c --library=posix -D_GNU_SOURCE --include=tests/cppcheck.h -Iinclude -j2 \
  core sniffer || bad=1
git ls-files '*.sh' .ci/run | xargs shellcheck -x -S warning -e SC2154 || bad=1
[ $bad -eq 0 ] && echo "lint: clean"
exit $bad
