"""Calls of Linux that Python 3.11 has no name for. What they are for is in `spaces`."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
NO_SETUID, NO_DEVICES, NO_PROGRAMS = 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR = 442
"""On every machine: calls that came after 2019 have one number (Linux 5.12)."""
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY = 1
_DEATH_SIGNAL, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 36, 38
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41
"""ioctl SIOCSIFFLAGS; IFF_UP | IFF_RUNNING."""

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Enter namespaces of one's own; that of processes counts for the children."""
    _check(_libc.unshare(flags), "unshare")


def mount(kind: str, target: str, flags: int, options: str) -> None:
    """Mount a file system of a kind."""
    words = [os.fsencode(word) for word in (kind, target, kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)), target)


def bind(source: str, target: str) -> None:
    """Show a file or folder, with all mounted in it, at another place as well."""
    flags = ctypes.c_ulong(_BIND | _RECURSIVE)
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None), target)


def make_private() -> None:
    """See to it that no mount from here on is seen outside, nor the other way round."""
    flags = ctypes.c_ulong(_RECURSIVE | _PRIVATE)
    _check(_libc.mount(None, b"/", None, flags, None), "/")


def read_only(path: str, on: bool, *, everything_below: bool) -> None:
    """Make a mount read-only, or no longer so."""
    attributes = struct.pack("QQQQ", *((_READ_ONLY, 0) if on else (0, _READ_ONLY)), 0, 0)
    below = ctypes.c_uint(_AT_RECURSIVE if everything_below else 0)
    done = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR), _AT_FDCWD, os.fsencode(path), below, attributes,
        ctypes.c_size_t(len(attributes)),
    )  # fmt: skip
    _check(done, path)


def become_subreaper() -> None:
    """Be the parent of every descendant whose own has ended."""
    _prctl(_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> None:
    """Get a signal when the parent ends. Not for a parent with threads: it is the thread's end."""
    _prctl(_DEATH_SIGNAL, signal_number)


def no_new_privileges() -> None:
    """Gain nothing from set-user-id programs."""
    _prctl(_NO_NEW_PRIVILEGES, 1)


def raise_loopback() -> None:
    """Make 127.0.0.1 answer in a new network namespace."""
    request = struct.pack("16sH14x", b"lo", _UP_AND_RUNNING)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, request)


def _prctl(option: int, value: int) -> None:
    numbers = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    _check(_libc.prctl(option, *numbers), "prctl")


def _check(returned: int, what: str) -> None:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
