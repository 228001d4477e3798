"""What a shell inherits from the agent, and how it is called: the same with the shim."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from support.transparency.snippets import Snippet, numbered, opened, roomy, untyped

SIGNALS = """python3 -c 'import os
for line in open(f"/proc/{os.getppid()}/status"):
    if line.startswith(("SigB", "SigI", "SigC", "Shd")): print(line, end="")'
grep ^Sig[BIC] /proc/self/status; trap -p"""
LISTED = 'set -- /proc/$$/fd/*; echo "${@##*/}"'
LONG = ": " + "x" * 120_000 + "; echo end"
HUP, INT, QUIT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM
PIPE, CHLD, USR1 = signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1
RTMIN, XFSZ, TSTP = signal.SIGRTMIN, signal.SIGXFSZ, signal.SIGTSTP

IGNORING = [
    Snippet(f"{number.name} is ignored", SIGNALS, ignored=[number])
    for number in (HUP, INT, QUIT, TERM, PIPE, CHLD, XFSZ, TSTP, USR1)
]
BLOCKING = [
    Snippet(f"{number.name} is blocked", SIGNALS, blocked=[number])
    for number in (HUP, INT, QUIT, TERM, PIPE, CHLD, USR1, RTMIN)
]
SNIPPETS = [
    *IGNORING,
    *BLOCKING,
    Snippet("nohup-like", "kill -HUP $$; echo survived; kill -HUP 0; echo again", ignored=[HUP]),
    Snippet(
        "a trap on what was ignored",
        "trap 'echo got' HUP; kill -HUP $$; trap -p; echo on",
        ignored=[HUP],
    ),
    Snippet("a blocked signal stays pending", "kill -USR1 $$; echo on", blocked=[USR1]),
    Snippet("a blocked signal in children", "sh -c 'kill -TERM $$; echo on'", blocked=[TERM]),
    Snippet("a broken pipe, ignored", "yes 2>/dev/null | head -1; echo $?", ignored=[PIPE]),
    Snippet("a broken pipe, blocked", "yes 2>/dev/null | head -1; echo $?", blocked=[PIPE]),
    Snippet("children, ignored", "(exit 3) & wait $!; echo $?; (exit 4); echo $?", ignored=[CHLD]),
    Snippet("children, blocked", "(exit 3) & wait $!; echo $?", blocked=[CHLD]),
    Snippet("an alarm", "trap 'echo rang; exit 3' ALRM; while :; do sleep 0.02; done", alarm=0.3),
    Snippet("an alarm kills", "exec sleep 20", alarm=0.3),
    Snippet("umask 077", "umask; touch f; mkdir d", umask=0o077),
    Snippet("umask 0", "umask; touch f; mkdir d; cat <<< x > g", umask=0),
    Snippet("nice 7", "nice; nice -n 2 nice; ps -o ni= -p $$ | tr -d ' '", nice=7),
    Snippet("a deleted folder", "echo here; ls; cd /; pwd", deleted=True),
    Snippet("a deleted folder and a child", "exec bash -c 'echo x > f'", deleted=True),
    Snippet("descriptors 3 and 4", f"{LISTED}; echo a >&3; echo b >&4", descriptors=[3, 4]),
    Snippet("descriptor 9", f"{LISTED}; sh -c 'echo x >&9'", descriptors=[9]),
    Snippet("descriptors 10 and 63", f"{LISTED}; echo x >&10; echo y >&63", descriptors=[10, 63]),
    Snippet("descriptor 99 is closed", "exec 99>&-; echo end", descriptors=[99]),
    Snippet("a descriptor that outlives", "exec 3>&-; echo end", descriptors=[3]),
    Snippet("30 open files", "ulimit -n", limits={"RLIMIT_NOFILE": (40, 40)}),
    Snippet(
        "no files to spare",
        LISTED,
        argv=("sh", "-c", "{}"),
        limits={"RLIMIT_NOFILE": (10, 10)},
        unrecorded=True,
    ),
    Snippet("a small file size", "seq 2000 > f; echo $?", limits={"RLIMIT_FSIZE": (4096, 4096)}),
    Snippet("seconds to burn", "ulimit -t; echo ok", limits={"RLIMIT_CPU": (60, 60)}),
    Snippet(
        "too little memory for us",
        "ulimit -v; echo ok",
        argv=("sh", "-c", "{}"),
        limits={"RLIMIT_AS": (100_000_000, 100_000_000)},
        unrecorded=True,
    ),
    Snippet("enough memory", "ulimit -v; echo", limits={"RLIMIT_AS": (1 << 30, 1 << 30)}),
    Snippet("a small stack", "ulimit -s", limits={"RLIMIT_STACK": (2 << 20, 4 << 20)}),
    Snippet("locked memory", "ulimit -l", limits={"RLIMIT_MEMLOCK": (8192, 8192)}),
    Snippet("no environment variable of ours", "env | grep -c =", env={"A": "", "B": "b c"}),
    Snippet("an odd environment", "env", env={"a-b": "1", "x.y": "2", "3": "4", "é": "é"}),
    Snippet("a function in the environment", "f 1", env={"BASH_FUNC_f%%": "() { echo f $1; }"}),
    Snippet("bytes in the environment", "env | od -c | head", env={"BYTES": b"\xff\xfe\n\x01"}),
    Snippet("a long variable", "echo ${#LONG}", env={"LONG": "x" * 100_000}),
    Snippet("many variables", "env | wc -l", env={f"V{n}": "v" * 50 for n in range(500)}),
    Snippet("SHLVL 7", "echo $SHLVL; bash -c 'echo $SHLVL'", env={"SHLVL": "7"}),
    Snippet(
        "BASH_ENV",
        "f; echo $BASH_ENV",
        env={"BASH_ENV": "rc"},
        files={"rc": (b"f() { echo rc; }\n", 0o644)},
    ),
    Snippet("ENV and sh", "echo $ENV $-", shell="sh", env={"ENV": "rc"}),
    Snippet("SHELLOPTS", "echo $-; set -o | grep pipe", env={"SHELLOPTS": "pipefail:noglob"}),
    Snippet("BASHOPTS", "shopt nullglob; echo x*", env={"BASHOPTS": "nullglob"}),
    Snippet("POSIXLY_CORRECT", "set -o | grep posix", env={"POSIXLY_CORRECT": "1"}),
    Snippet("PS4", "set -x; echo a", env={"PS4": "> "}),
    Snippet("LC_ALL=C", "locale; printf '\\303\\251' | wc -m", env={"LC_ALL": "C"}),
    Snippet("a locale that is not there", "echo ok; locale 2>&1 | wc -l", env={"LC_ALL": "xx_YY"}),
    Snippet("TZ", "date -d @0 +%H; printf '%(%H)T\\n' 0", env={"TZ": "America/New_York"}),
    Snippet("LD_PRELOAD of nothing", "echo ok", env={"LD_PRELOAD": "/nonexistent.so"}),
    Snippet(
        "PYTHONHOME and the like", "echo ok", env={"PYTHONHOME": "/nowhere", "PYTHONPATH": "/x"}
    ),
    Snippet("PATH unset in effect", "echo $PATH; echo ok", env={"PATH": "/nonexistent"}),
    Snippet("IFS in the environment", "echo $IFS; set a:b; echo $1", env={"IFS": ":"}),
    Snippet("an empty PWD", "pwd | sed 's|.*/||'", env={"PWD": ""}),
    Snippet("a wrong PWD", "pwd | sed 's|.*/||'", env={"PWD": "/usr", "OLDPWD": "/etc"}),
    Snippet("no TERM and no HOME", "cd; echo $? ${TERM-none}", env={"HOME": "", "TERM": ""}),
    Snippet("a script of 120 KB", LONG),
    Snippet("an empty script", ""),
    Snippet("a script of blanks", "  \n\t\n# nothing\n"),
    Snippet("arguments", 'echo "$0 $# $@"', argv=("bash", "-c", "{}", "name", "a b", "", "*")),
    Snippet(
        "no argument at all", "read -r x; echo $x", argv=("bash",), only=untyped, data=b"{}\nin\n"
    ),
    Snippet("-s", "echo $0 $1", argv=("bash", "-s", "one"), only=untyped, data=b"{}\n"),
    Snippet("a login shell by name", "shopt login_shell; echo $0", argv=("-bash", "-c", "{}")),
    Snippet("a login shell by option", "shopt login_shell", argv=("bash", "-l", "-c", "{}")),
    Snippet("-lc in one", "shopt login_shell; exit 5", argv=("bash", "-lc", "{}")),
    Snippet("another name", "echo $0; nonsense", argv=("anything", "-c", "{}")),
    Snippet("a name with blanks", 'echo "<$0>"', argv=("a b\tc", "-c", "{}")),
    Snippet("a name with odd bytes", 'echo "<$0>" | od -c', argv=("\xff\xfe", "-c", "{}")),
    Snippet("a long name", "echo ${#0}", argv=("n" * 5000, "-c", "{}")),
    Snippet("bash called sh", "set -o | grep posix", argv=("sh", "-c", "{}")),
    Snippet("bash called rbash", "cd /", argv=("rbash", "-c", "{}")),
    Snippet("bash called by a path", "echo $0 $BASH", argv=("/usr/bin/bash", "-c", "{}")),
    Snippet("bash called by a relative path", "echo $0", argv=("../bin/bash", "-c", "{}")),
    Snippet("dash called bash", "echo $0; nonsense", shell="dash", argv=("bash", "-c", "{}")),
    Snippet("dash called -dash", "echo $0", shell="dash", argv=("-dash", "-c", "{}")),
    Snippet("-e", "false; echo no", argv=("bash", "-e", "-c", "{}")),
    Snippet("-x", "echo a; (exit 3)", argv=("bash", "-x", "-c", "{}")),
    Snippet("-v", "echo a", argv=("bash", "-v", "-c", "{}")),
    Snippet("-n", "echo a; if", argv=("bash", "-n", "-c", "{}")),
    Snippet("--posix", "set -o | grep posix", argv=("bash", "--posix", "-c", "{}")),
    Snippet("-o pipefail", "false | true", argv=("bash", "-o", "pipefail", "-c", "{}")),
    Snippet("--norc --noprofile", "echo $-", argv=("bash", "--norc", "--noprofile", "-c", "{}")),
    Snippet("an option that is none", "", argv=("bash", "--nonsense")),
    Snippet("-c without a script", "", argv=("bash", "-c")),
    Snippet("a file that is not there", "", argv=("bash", "nothing.sh")),
    Snippet("--version", "", argv=("bash", "--version"), only=opened),
    Snippet("dash -e", "false; echo no", shell="dash", argv=("dash", "-ec", "{}")),
    Snippet("dash -x", "echo a", shell="dash", argv=("dash", "-xc", "{}")),
    Snippet("100 MB", "head -c 100000000 /dev/zero | tr '\\0' x; echo end >&2", only=roomy),
    Snippet("much input", "wc -c; echo end", data=b"0123456789abcde\n" * 3000, only=untyped),
    Snippet(
        "much input, and a part of it read",
        "head -c 10000 | wc -c",
        data=b"0123456\n" * 5000,
        only=untyped,
    ),
]


@pytest.mark.parametrize("snippet", numbered(SNIPPETS), ids=str)
def test_inherited(snippet: Snippet, check: Callable[[Snippet], None]) -> None:
    check(snippet)
