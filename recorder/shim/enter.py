"""A program that makes a mount namespace with launchers over the shells, then becomes the agent.

It runs as the child that becomes the agent: the same process, so the same pid. Run by path with
`python -I -S`; it imports nothing of ours. It starts no process and reads no configuration; what
goes where is on its command line (see `traceproof.recorder.namespaces`).

What it reports goes to a pipe that the agent does not inherit: `N <errno> <what>` where there is no
namespace, `X <errno>` where the agent cannot be started, and else `R`. After `N` and `X` it ends:
nobody is to run in half a namespace.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from pathlib import Path

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x80000
_CAPBSET_READ, _CAPBSET_DROP = 23, 24
_AMBIENT, _AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION = 0x20080522
_MODE = 0o644
"""Of what is written: other users' shells read it, and must not change it."""

_NAMESPACE = Path("/proc/self/ns/mnt")
_SHELL = "/bin/sh"
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Our caller had them at their defaults."""

_FAILED = 127

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Enter, and be the agent.

    Args:
        arguments: The pipe's descriptor, the kind (`mount` or `user`), a folder, the number of
            shells, for each its path, its placeholder and its launcher; the agent's program, and
            its command line.
    """
    report = int(arguments[0])
    os.set_inheritable(report, False)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    count = int(arguments[3])
    shells, agent = arguments[4 : 4 + 3 * count], arguments[4 + 3 * count :]
    told = b""
    try:
        _enter(arguments[1], arguments[2], shells)
        os.write(report, b"R\n")
        _become(agent[0], agent[1:])
    except _RefusedError as error:
        told = f"N {error.errno} {error.filename}\n".encode(errors="surrogateescape")
    except OSError as error:
        told = b"X %d\n" % (error.errno or 0)
    os.write(report, told)
    os._exit(_FAILED)


class _RefusedError(OSError):
    """The system does not allow a namespace."""


def _enter(kind: str, folder: str, shells: list[str]) -> None:
    """Make the namespace and cover the shells.

    Raises:
        _RefusedError: the system does not allow it; `filename` says what.
    """
    outside = _namespace()
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEWNS | (_NEWUSER if kind == "user" else 0))
    if kind == "user":
        _map(user, group)
    _mount(None, "/", _RECURSIVE | _SLAVE)
    for shell, placeholder in zip(shells[::3], shells[1::3], strict=True):
        _mount(shell, placeholder, _BIND)
    mounts = Path(folder, "mounts")
    _write(mounts, f"{_namespace()} {outside}\n")
    mounts.chmod(_MODE)
    for shell, launcher in zip(shells[::3], shells[2::3], strict=True):
        _mount(launcher, shell, _BIND)
    if kind == "user":
        _drop_capabilities()


def _become(path: str, argv: list[str]) -> None:
    """Be the agent, with the environment as our caller gave it; Python may have added to its own.

    Raises:
        OSError: the program cannot be run.
    """
    environment = _environment()
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(path, argv, environment)  # noqa: S606
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    # a script without a `#!` line: shells run it, and so does execvp
    os.execve(_SHELL, [_SHELL, path, *argv[1:]], environment)  # noqa: S606


def _environment() -> dict[bytes, bytes]:
    entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    return {name: value for name, found, value in (e.partition(b"=") for e in entries) if found}


def _namespace() -> int:
    try:
        return _NAMESPACE.stat().st_ino
    except OSError as error:
        raise _RefusedError(error.errno, error.strerror, str(_NAMESPACE)) from None


def _map(user: int, group: int) -> None:
    """Keep the user and the group that they are."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        _write(Path("/proc/self", name), text)


def _drop_capabilities() -> None:
    """Give up what the user namespace gave: for us, and for whatever is started from here."""
    number = 0
    while _libc.prctl(_CAPBSET_READ, *_longs(number, 0, 0, 0)) >= 0:
        _call("prctl", _CAPBSET_DROP, *_longs(number, 0, 0, 0))
        number += 1
    _call("prctl", _AMBIENT, *_longs(_AMBIENT_CLEAR_ALL, 0, 0, 0))
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


def _longs(*numbers: int) -> list[ctypes.c_ulong]:
    return [ctypes.c_ulong(number) for number in numbers]


def _mount(source: str | None, target: str, flags: int) -> None:
    from_ = None if source is None else os.fsencode(source)
    _call("mount", from_, os.fsencode(target), None, ctypes.c_ulong(flags), None, what=target)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise _RefusedError(error.errno, error.strerror, str(path)) from None


def _call(name: str, *arguments: object, what: str = "") -> None:
    if _libc[name](*arguments) < 0:
        number = ctypes.get_errno()
        raise _RefusedError(number, os.strerror(number), what or name)


if __name__ == "__main__":
    main(sys.argv[1:])
