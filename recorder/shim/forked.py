"""The process that becomes the shell, where there is no machine code for the launcher.

Then the launcher is a script: the first word of the shell's command line is lost, Python's start
has changed a few things that cannot be known any more, and the shell survives if the process the
agent started is killed with SIGKILL.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import signals, sockets, wire
from traceproof.recorder.shim.body import end, keep_only, texts
from traceproof.recorder.shim.plan import Plan

_FAILED = 127
_TIOCSCTTY = 0x540E
_CLONE_NEWNS = 0x20000


class ForkedBody:
    """A child of this process that waits to be told what to become.

    Args:
        arguments: The launcher's path and the arguments it was given.
    """

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = [os.fsencode(argument) for argument in arguments]
        self.arguments[0] = os.path.basename(self.arguments[0])
        self.environment = texts("/proc/self/environ")
        self.ignored = signals.ignored_now()
        self.blocked = signals.block_all()
        self._socket, theirs = sockets.stream_pair()
        self.pid = os.fork()
        if not self.pid:
            self._socket.close()
            self._wait(theirs)
        theirs.close()
        self.descriptor = self._socket.fileno()
        self._sentinel_reads, self._sentinel_ends = os.pipe()
        self.sentinel = self._fork_sentinel()

    def become(self, plan: Plan) -> None:
        """Have it carry out a plan.

        Raises:
            OSError: it could not be told.
        """
        sent = [ours for ours, _ in plan.descriptors]
        if plan.terminal is not None:
            sent.append(plan.terminal)
        fields = [(b"to", b"%d" % number) for _, number in plan.descriptors]
        fields += [(b"path", plan.path), (b"marker", b"%d" % plan.marker)]
        fields += [(b"tty", b"1")] if plan.terminal is not None else []
        fields += [(b"arg", word) for word in plan.arguments or self.arguments]
        fields += [(b"env", entry) for entry in plan.environment or self.environment]
        payload = wire.encode_fields(fields)
        sockets.send_all(self._socket, len(payload).to_bytes(8, "little") + payload, sent)
        self.descriptor = self._sentinel_ends

    def dismiss(self) -> None:
        """End it and its sentinel, so that this process can become the shell itself."""
        self._socket.close()
        end(self.pid)
        self.end_sentinel()

    def end_sentinel(self) -> None:
        """End the sentinel."""
        end(self.sentinel)

    def renew_sentinel(self) -> None:
        """Put a new sentinel in the place of the old one, which has seen signals."""
        old = self.sentinel
        self.sentinel = self._fork_sentinel()
        end(old)

    def _fork_sentinel(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        keep_only({self._sentinel_reads})
        os.read(self._sentinel_reads, 1)  # until this process is gone
        os._exit(0)

    def _wait(self, socket: sockets.Socket) -> None:
        try:
            text, numbers = sockets.receive(socket, 8)
            fields = wire.decode_fields(sockets.receive_all(socket, int.from_bytes(text, "little")))
            self._become(fields, numbers)
        finally:
            os._exit(_FAILED)

    def _become(self, fields: list[tuple[bytes, bytes]], numbers: list[int]) -> None:
        one = dict(fields)
        targets = [int(value) for name, value in fields if name == b"to"]
        if b"tty" in one:
            import fcntl  # noqa: PLC0415

            os.setsid()
            fcntl.ioctl(numbers[-1], _TIOCSCTTY, 0)
        for number, target in zip(numbers, targets, strict=False):
            os.dup2(number, target)
        _mark(one[b"marker"])
        signals.restore(self.ignored)
        signals.block_only(self.blocked)
        entries = [value.partition(b"=") for name, value in fields if name == b"env"]
        environment = {name: value for name, _, value in entries if name}
        os.execve(one[b"path"], [v for n, v in fields if n == b"arg"], environment)  # noqa: S606


def _mark(marker: bytes) -> None:
    try:
        slack = os.open("/proc/self/timerslack_ns", os.O_WRONLY | os.O_CLOEXEC)
        os.write(slack, marker)
        os.close(slack)
    except OSError:
        return
