"""A box for connections whose programs may not connect: each sends one end of a pair of sockets.

Sandboxes of agents forbid `connect`, but not to send a message to a socket that is a file.
"""

from __future__ import annotations

import array
import socket
from pathlib import Path

_SIZE = 16
_HOW = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
_MOST = 4
"""Descriptors that are looked at in a message; there should be one."""


class Letters:
    """A socket at a path that takes the ends of connections.

    Args:
        path: Where it is made.

    Raises:
        OSError: there cannot be a socket at this path.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(str(path))
            path.chmod(0o600)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def take(self) -> list[socket.socket]:
        """Return the connections in the next message: none, where it holds no such.

        Raises:
            BlockingIOError: there is no message.
            OSError: it cannot be taken.
        """
        space = socket.CMSG_SPACE(_MOST * 4)
        _, rights, _, _ = self._socket.recvmsg(_SIZE, space, _HOW)
        found = []
        for _, _, data in rights:
            numbers = array.array("i", data[: len(data) // 4 * 4])
            found += [one for number in numbers if (one := _connection(number)) is not None]
        return found

    def close(self) -> None:
        """Take no more."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def _connection(number: int) -> socket.socket | None:
    """Return a socket for packets, which owns the descriptor; whatever else it is is closed."""
    try:
        sock = socket.socket(fileno=number)
    except OSError:
        socket.close(number)
        return None
    if (sock.family, sock.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        sock.close()
        return None
    return sock
