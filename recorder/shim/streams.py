"""The pipes and sockets that stand in for a command's output, like those the agent gave.

A pipe becomes a pipe, a socket a socket, with the same capacity and flags, so that the command
cannot tell. Regular files stay what they are: they are read alongside. Where descriptors 1 and 2
are one, so are their streams.
"""

from __future__ import annotations

import fcntl
import os

from traceproof.recorder.shim import sockets, wire
from traceproof.recorder.shim.descriptors import FILE, PIPE, SOCKET, Descriptor
from traceproof.recorder.shim.terminal import Terminal

_SET_SIZE, _GET_SIZE = 1031, 1032
_DEFAULT_SIZE = 65536


class Stream:
    """A stand-in for an output stream.

    Attributes:
        kind: Kind of the packets that carry it.
        numbers: The descriptors of the command that it stands in for.
        agent: A descriptor of the agent's end.
        inner: What the command gets.
        source: Where to read what the command wrote.
        is_socket: Whether it is a socket.
    """

    def __init__(self, kind: bytes, agent: int, inner: int, source: int, is_socket: bool) -> None:
        self.kind = kind
        self.numbers: list[int] = []
        self.agent = agent
        self.inner = inner
        self.source = source
        self.is_socket = is_socket


class Tail:
    """A regular file that is read alongside.

    Attributes:
        kind: Kind of the packets that carry it.
        agent: The agent's descriptor.
        start: Where the command's output begins.
        appends: Whether everything written goes to the end.
    """

    def __init__(self, kind: bytes, descriptor: Descriptor) -> None:
        self.kind = kind
        self.agent = descriptor.number
        self.appends = bool(descriptor.flags & os.O_APPEND)
        whence = os.SEEK_END if self.appends else os.SEEK_CUR
        self.start = os.fstat(self.agent).st_size
        if whence == os.SEEK_CUR:
            self.start = os.lseek(self.agent, 0, os.SEEK_CUR)


class Streams:
    """Every output stream of a command, and how each is recorded.

    Attributes:
        inner: Those with a stand-in.
        tails: Those read alongside.
        terminal: The command's, if it has one of ours.
        merged: Whether descriptors 1 and 2 are one.
        unrecorded: The numbers of those that are left as they are.
    """

    def __init__(
        self, output: Descriptor, errors: Descriptor, terminal: Terminal | None = None
    ) -> None:
        self.terminal = terminal
        self.inner: list[Stream] = []
        self.tails: list[Tail] = []
        self.unrecorded: list[int] = []
        both = [output, errors]
        self.merged = self._are_one(output, errors)
        if self.merged:
            self._add(wire.MERGED, both)
        else:
            self._add(wire.STDOUT, both[:1])
            self._add(wire.STDERR, both[1:])

    def _are_one(self, output: Descriptor, errors: Descriptor) -> bool:
        if self._on_terminal(output) or self._on_terminal(errors):
            return self._on_terminal(output) and self._on_terminal(errors)
        same = output.kind == errors.kind and output.identity == errors.identity
        return same and _recordable(output) and _recordable(errors)

    def _on_terminal(self, descriptor: Descriptor) -> bool:
        return self.terminal is not None and descriptor.number in self.terminal.numbers

    def _add(self, kind: bytes, same: list[Descriptor]) -> None:
        descriptor = same[0]
        if self.terminal is not None and self._on_terminal(descriptor):
            terminal, master = self.terminal, os.dup(self.terminal.master)
            self.inner.append(Stream(kind, terminal.outer, terminal.slave, master, is_socket=False))
            self.inner[-1].numbers = terminal.numbers
            return
        if not _recordable(descriptor):
            self.unrecorded += [one.number for one in same]
            return
        if descriptor.kind == FILE:
            self.tails.append(Tail(kind, descriptor))
            return
        make = _pipe if descriptor.kind == PIPE else _socket
        self.inner.append(make(kind, descriptor))
        self.inner[-1].numbers = [one.number for one in same]


def _recordable(descriptor: Descriptor) -> bool:
    if descriptor.kind == PIPE:
        return descriptor.writable()
    if descriptor.kind == FILE:
        return descriptor.flags & os.O_ACCMODE != os.O_RDONLY
    return descriptor.kind == SOCKET and _is_stream(descriptor.number)


def _is_stream(number: int) -> bool:
    socket = sockets.Socket(fileno=os.dup(number))
    try:
        return sockets.is_stream(socket)
    finally:
        socket.close()


def _pipe(kind: bytes, descriptor: Descriptor) -> Stream:
    source, inner = os.pipe2(os.O_CLOEXEC)
    size = fcntl.fcntl(descriptor.number, _GET_SIZE)
    if size != _DEFAULT_SIZE:
        _set_size(inner, size)
    _copy_flags(descriptor, inner)
    return Stream(kind, descriptor.number, inner, source, is_socket=False)


def _set_size(pipe: int, size: int) -> None:
    try:
        fcntl.fcntl(pipe, _SET_SIZE, size)
    except OSError:  # more than this user may have: the default is what there is
        return


def _socket(kind: bytes, descriptor: Descriptor) -> Stream:
    source, inner = sockets.stream_pair()
    outer = sockets.Socket(fileno=os.dup(descriptor.number))
    sockets.copy_buffers(outer, inner)
    outer.close()
    _copy_flags(descriptor, inner.fileno())
    return Stream(kind, descriptor.number, inner.detach(), source.detach(), is_socket=True)


def _copy_flags(descriptor: Descriptor, inner: int) -> None:
    if descriptor.flags & os.O_NONBLOCK:
        os.set_blocking(inner, False)
