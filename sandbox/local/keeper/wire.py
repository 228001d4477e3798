"""Messages between a box's owner and its keeper: JSON with a length, and open files beside it.

It neither waits for the other side nor knows what the messages say.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]
_LENGTH = 4
_FILES = 3


def send(line: socket.socket, message: Message, files: Sequence[int] = ()) -> None:
    """Send a message.

    Args:
        line: a stream socket.
        message: what JSON can say; names that are not UTF-8 may be in it as surrogates.
        files: at most three descriptors.

    Raises:
        OSError: the other side is gone.
    """
    body = json.dumps(message).encode()
    socket.send_fds(line, [len(body).to_bytes(_LENGTH, "big")], files)
    line.sendall(body)


def receive(line: socket.socket) -> tuple[Message | None, list[int]]:
    """Wait for a message.

    Returns:
        It, and the descriptors that came with it; None when the other side is gone.
    """
    try:
        head, files, _, _ = socket.recv_fds(line, _LENGTH, _FILES)
        for file in files:
            os.set_inheritable(file, False)  # Python 3.11 leaves the flag that would do it out
        head += _exactly(line, _LENGTH - len(head)) if head else b""
        body = _exactly(line, int.from_bytes(head, "big"))
    except (ConnectionError, EOFError):
        return None, []
    return (json.loads(body) if head else None), list(files)


def _exactly(line: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = line.recv(min(count, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
