# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# What the README shows, for the two tests that run it.

# readme_commands: every command in it, one a line: of its blocks in sh, and in backquotes.
readme_commands() {
  awk '
    /^ *```/ { fenced = !fenced; sh = fenced && /```sh$/; next }
    sh { sub(/ +#.*/, ""); n = split($0, part, / && /); for (i = 1; i <= n; i++) print part[i]; next }
    fenced { next }
    {
      n = split($0, part, "`")
      for (i = 2; i <= n; i += 2) {
        if (part[i] ~ /^(sudo|tap82|make|systemctl|journalctl|man|apt|omshell)( |$)/ && part[i] !~ /=$/) print part[i]
        # The rest of a list that begins with a command: `tap82 status`, `devices`, …
        else if (part[i] ~ /^(devices|unknown|reservations|events)( --[a-z]+)?$/) print part[i]
      }
    }' README.md | sed 's/ *$//' | grep -vxF -e tap82 -e omshell | sort -u
}

# readme_rows WHERE…: "EXITS<tab>COMMAND" of the rows that are run there, the command as it is run.
readme_rows() {
  for where in "$@"; do
    sed -n "s/ => $where\\([0-9 ]*\\):/\\t\\1\\t/p" tests/readme.commands |
      awk -F '\t' '{ sub(/^ +/, "", $3); print ($2 ~ /[0-9]/ ? $2 : " 0") " \t" ($3 == "" ? $1 : $3) }'
  done
}
