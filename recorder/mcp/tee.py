"""The program between an agent and an MCP server over stdio: it starts the server and copies.

Three processes: this one, which the agent started, stands for the server (signals, exit code); the
server itself, its child; and a relay, its other child, which carries the bytes. Whatever keeps it
from recording, the server is started in its own place, as if it had not been there.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress

from traceproof.recorder.mcp import line, relay, stand
from traceproof.recorder.mcp.link import Link, now
from traceproof.recorder.shim import wire

_STREAMS = (0, 1, 2)
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")


def main(settings: dict[str, object], words: list[str]) -> None:
    """Start a server and record it; does not return.

    Args:
        settings: `socket` and `token` of the recorder; `restore`, a list of the environment's names
            that only we set and the values they had (None: none); `marker`, the timer slack that
            tells the hooks of shells to let the server's alone.
        words: The server's name in the agent's configuration, `--`, and its command line; or
            `--line` and a command line as a shell reads it.
    """
    env = _environment(settings.get("restore"))
    _mark(settings.get("marker"))
    name, argv = _asked(words)
    kinds = [_kind(number) for number in _STREAMS]
    if kinds[relay.ERRORS] == "closed":
        os.open(os.devnull, os.O_RDWR)  # so that no descriptor of ours is taken for it
    link = None
    if _relayable(kinds):
        link = Link.open(str(settings["socket"]), _hello(settings, name, argv, kinds))
    if link is None:
        _replace(argv, env)
    else:
        _record(link, argv, env, kinds)


def _record(link: Link, argv: list[bytes], env: dict[bytes, bytes], kinds: list[str]) -> None:
    relayed = [number for number in _STREAMS if kinds[number] in relay.KINDS]
    ours: dict[int, int] = {}
    theirs: dict[int, int] = {}
    for number in relayed:
        ours[number], theirs[number] = relay.pair(kinds[number], to_server=number == 0)
    if kinds[relay.ERRORS] == "merged":
        theirs[relay.ERRORS] = theirs[1]
    stand.run(
        relay=lambda control: relay.run(control, link, ours, set(theirs.values()), kinds),
        server=lambda: _become(argv, env, theirs),
        close=[*ours.values(), *set(theirs.values()), link.number],
    )


def _become(argv: list[bytes], env: dict[bytes, bytes], streams: dict[int, int]) -> None:
    """Turn this process, a child, into the server."""
    for number, inner in streams.items():
        os.dup2(inner, number)
    _replace(argv, env)


def _replace(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    """Turn this process into the server."""
    for name in _IGNORED_BY_PYTHON:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, env)  # noqa: S606 - nobody wants a shell here
    except OSError as error:
        os.write(2, b"%s: %s\n" % (argv[0], os.strerror(error.errno or 0).encode()))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _asked(words: list[str]) -> tuple[str, list[bytes]]:
    """Return the server's name and its command line."""
    if words[0] == "--line":
        read = line.words(words[1])
        return "", [os.fsencode(word) for word in read or ["/bin/bash", "-c", words[1]]]
    at = words.index("--")
    return words[0], [os.fsencode(word) for word in words[at + 1 :]]


def _mark(marker: object) -> None:
    """Mark this process, and so what it starts, as recorded; Linux before 4.6 cannot."""
    if not marker:
        return
    with suppress(OSError), open("/proc/self/timerslack_ns", "w") as file:  # noqa: PTH123
        file.write(str(marker))


def _environment(restore: object) -> dict[bytes, bytes]:
    """Return the environment as this process got it (Python changes it), without our own part."""
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
        pairs = [entry.partition(b"=") for entry in file.read().split(b"\0") if entry]
    env = {name: value for name, _, value in pairs}
    for name, value in restore if isinstance(restore, list) else ():
        if value is None:
            env.pop(os.fsencode(name), None)
        elif os.fsencode(name) in env:
            env[os.fsencode(name)] = os.fsencode(value)
    return env


def _kind(number: int) -> str:
    try:
        mode = os.fstat(number)
    except OSError:
        return "closed"
    if number == relay.ERRORS and _same(1, mode):
        return "merged"
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFREG: "file"}
    if os.isatty(number):
        return "tty"
    null = stat.S_ISCHR(mode.st_mode) and mode.st_rdev == os.makedev(1, 3)
    return "null" if null else kinds.get(stat.S_IFMT(mode.st_mode), "other")


def _same(number: int, mode: os.stat_result) -> bool:
    try:
        other = os.fstat(number)
    except OSError:
        return False
    return (other.st_dev, other.st_ino) == (mode.st_dev, mode.st_ino)


def _relayable(kinds: list[str]) -> bool:
    """Tell whether the server is spoken to in a way that can be copied."""
    return kinds[0] in relay.KINDS and kinds[1] in relay.KINDS and not _same(0, os.fstat(1))


def _hello(
    settings: dict[str, object], name: str, argv: list[bytes], kinds: list[str]
) -> list[bytes]:
    said = {
        "kind": "mcp",
        "hook": "mcp",
        "server": name,
        "token": settings["token"],
        "cwd": _folder(),
        "pid": os.getpid(),
        "ppid": os.getppid(),
        **{f"fd{number}": kind for number, kind in enumerate(kinds)},
    }
    fields = [(key.encode(), os.fsencode(str(value))) for key, value in said.items()]
    fields += [(b"arg", word) for word in argv]
    payload = wire.encode_fields(fields)
    return wire.pieces(payload, wire.HELLO, wire.HELLO_PIECE, now())


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib is slow to import
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit("started by a file that the recorder writes: see install.py")
