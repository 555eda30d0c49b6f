# SPDX-License-Identifier: ISC
"""What zsh shows when a person types: zsh_complete.py FOLDER-OF-FUNCTIONS PROGRAM. A line of stdin
is what is typed before Tab; a line of stdout is the command line after it, " => ", and what else
stands on the terminal: the list of choices."""
import os
import pty
import re
import select
import sys
import termios
import time

SETUP = r"""
PS1='READY> ' PS2='' LISTMAX=0
unsetopt beep promptcr promptsp zle_bracketed_paste
fpath=("$TAP82_FUNCTIONS" $fpath)
autoload -Uz compinit && compinit -D -u
zstyle ':completion:*' format ''
bindkey '^I' complete-word
setopt auto_list no_list_ambiguous no_always_last_prompt
tell() { zle -I; print -r -- "TYPED<$BUFFER>END"; BUFFER=; }
zle -N tell && bindkey '^T' tell
"""


def start(functions, program):
    pid, terminal = pty.fork()
    if pid == 0:
        env = {"PATH": os.path.dirname(program) + ":" + os.environ["PATH"], "TERM": "dumb", "HOME": "/nonexistent",
               "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TAP82_FUNCTIONS": functions}
        os.execvpe("zsh", ["zsh", "-f", "-i"], env)
    termios.tcsetwinsize(terminal, (200, 240))
    return terminal


def read_until(terminal, mark, limit=60):
    got, until = b"", time.monotonic() + limit
    while mark not in got and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            got += os.read(terminal, 65536)
    return got.decode(errors="replace")


def plain(text):
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    while "\b" in text:
        text = re.sub(r"[^\b]\b|^\b", "", text, count=1)
    return " ".join(text.replace("\r", " ").split())


def main():
    functions, program = sys.argv[1:3]
    terminal = start(functions, program)
    os.write(terminal, (SETUP + "\nprint -r -- SET''UP\n").encode())
    if "SETUP" not in read_until(terminal, b"\nSETUP"):
        sys.exit("zsh does not start")
    for line in sys.stdin:
        os.write(terminal, line.rstrip("\n").encode() + b"\t\x14")
        shown = plain(read_until(terminal, b">END"))
        listed, _, typed = shown.partition("TYPED<")
        print(typed.partition(">END")[0], "=>", listed.replace("READY>", ""), flush=True)
    os.write(terminal, b"\x04")


main()
