"""The way out: events as sealed lines on the channel. What is there cannot be taken back.

A line is `tp1 SEQUENCE FLAG SEAL PART`: an event is the parts of its lines together, in JSON; the
flag is `+` where another part follows. The seal is an HMAC of the rest with the job's key.
"""

import fcntl
import hmac
import json
import os
from typing import Any

PART = 3800
"""Bytes of an event in one line: with what is around them no more than a pipe takes as a whole."""

HIGH = 200
"""The lowest descriptor to use, so that those that tests open have the numbers they always had."""


def plain(value: Any) -> Any:
    """Return a text, or a list of texts, as JSON can hold it: lone surrogates are spelt out."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, str):
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


class Wire(object):
    """Writes events, in order.

    Everything it needs from other modules it took when it was made: tests replace the functions of
    `os`, `json` and `hmac` by others.
    """

    def __init__(self, path: str, key: bytes) -> None:
        self._path = path
        self._seal = hmac.new(key, digestmod="sha256").copy
        self._encode = json.JSONEncoder().encode
        self._write, self._fstat, self._getpid = os.write, os.fstat, os.getpid
        self._open, self._close, self._fcntl = os.open, os.close, fcntl.fcntl
        self._flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        self._dup = fcntl.F_DUPFD_CLOEXEC
        self._set, self._blocking = fcntl.F_SETFL, os.O_WRONLY
        self._pid = os.getpid()
        self._sequence = 0
        self._connect()

    def _connect(self) -> None:
        fd = self._open(self._path, self._flags)
        try:
            self._fd = self._fcntl(fd, self._dup, HIGH)
        except (OSError, ValueError):
            self._fd = self._fcntl(fd, self._dup, 3)
        self._close(fd)
        self._fcntl(self._fd, self._set, self._blocking)
        self._is = self._identity()

    def _identity(self) -> Any:
        status = self._fstat(self._fd)
        return status.st_dev, status.st_ino

    def send(self, event: str, **values: Any) -> None:
        """Send an event; in a process that was forked off, do nothing."""
        if self._getpid() != self._pid:
            return
        self._check()
        told = {name: plain(value) for name, value in values.items()}
        rest = self._encode(dict(told, event=event)).encode("ascii")
        while rest:
            part, rest = rest[:PART], rest[PART:]
            self._line(part, b"+" if rest else b".")

    def _check(self) -> None:
        """Open the channel again where a test closed it."""
        try:
            ours = self._identity() == self._is
        except OSError:
            ours = False
        if not ours:
            self._connect()

    def _line(self, part: bytes, flag: bytes) -> None:
        body = b"%d %s " % (self._sequence, flag)
        seal = self._seal()
        seal.update(body + part)
        self._sequence += 1
        self._write(self._fd, b"tp1 " + body + seal.hexdigest()[:32].encode() + b" " + part + b"\n")

    def close(self) -> None:
        """Close the channel."""
        self._check()
        self._close(self._fd)
