"""Sockets without the `socket` module, whose start takes longer than the rest of ours."""

from __future__ import annotations

import _socket

Socket = _socket.socket

LETTERS = ".letters"
"""What the name of the recorder's socket ends in that takes the ends of connections."""

_PACKETS = _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC
_NOW = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL


def from_descriptor(number: int) -> Socket:
    """Return the socket for bytes behind a descriptor, which it owns; not for our children.

    What it is is said, not asked for: sandboxes forbid that.
    """
    import os  # noqa: PLC0415

    os.set_inheritable(number, False)
    return Socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, number)


def connect(path: str, patience: float) -> Socket:
    """Return a connection to a listener of packets.

    A sandbox may forbid to connect: then the recorder is sent one end of a pair.

    Args:
        path: Of its socket.
        patience: Seconds to wait for it to accept.

    Raises:
        OSError: nobody listens there, or not soon enough.
    """
    link = Socket(_socket.AF_UNIX, _PACKETS)
    link.settimeout(patience)
    try:
        link.connect(path)
    except PermissionError:
        link.close()
        return _offered(path + LETTERS, patience)
    return link


def _offered(path: str, patience: float) -> Socket:
    ours, theirs = pair()
    box = Socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        box.settimeout(patience)
        number = theirs.fileno().to_bytes(4, "little")
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, number)]
        box.sendmsg([b"\0"], rights, _socket.MSG_NOSIGNAL, path)
    except OSError:
        ours.close()
        raise
    finally:
        box.close()
        theirs.close()
    ours.settimeout(patience)
    return ours


def pair() -> tuple[Socket, Socket]:
    """Return two connected sockets for packets."""
    return _socket.socketpair(_socket.AF_UNIX, _PACKETS)


def stream_pair() -> tuple[Socket, Socket]:
    """Return two connected sockets for bytes."""
    return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)


def is_stream(socket: Socket) -> bool:
    """Tell a socket for bytes from one for packets."""
    return socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_TYPE) == _socket.SOCK_STREAM


def copy_buffers(source: Socket, target: Socket) -> None:
    """Give a socket the send buffer of another one."""
    size = source.getsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF)
    target.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, size // 2)  # the kernel doubles it


def send_now(socket: Socket, data: bytes | memoryview) -> int:
    """Send what goes without waiting; return how much that was.

    With `sendmsg`, here as everywhere: sandboxes forbid `sendto`, which `send` is.

    Raises:
        BlockingIOError: nothing goes just now.
        OSError: the other end is gone.
    """
    return socket.sendmsg([data], [], _NOW)


def send_all(socket: Socket, data: bytes, descriptors: list[int]) -> None:
    """Send bytes, and descriptors with the first of them."""
    numbers = b"".join(number.to_bytes(4, "little") for number in descriptors)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)] if numbers else []
    sent = socket.sendmsg([data], rights, _socket.MSG_NOSIGNAL)
    while sent < len(data):
        sent += socket.sendmsg([data[sent:]], [], _socket.MSG_NOSIGNAL)


def receive(socket: Socket, size: int) -> tuple[bytes, list[int]]:
    """Return the first bytes that come, and the descriptors that came with them."""
    text, rights, _, _ = socket.recvmsg(size, 256, _socket.MSG_WAITALL | _socket.MSG_CMSG_CLOEXEC)
    numbers = b"".join(data for _, _, data in rights)
    starts = range(0, len(numbers), 4)
    return text, [int.from_bytes(numbers[start : start + 4], "little") for start in starts]


def receive_all(socket: Socket, size: int) -> bytes:
    """Return as many bytes.

    Raises:
        EOFError: the other end is gone before.
    """
    text = b""
    while len(text) < size:
        part = socket.recv(size - len(text))
        if not part:
            raise EOFError("the other end is gone")
        text += part
    return text
