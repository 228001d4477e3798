"""The process that becomes the shell, where there is no machine code for the launcher.

Then the launcher is a script: the first word of the shell's command line is lost, Python's start
has changed a few things that cannot be known any more, and the shell survives if the process the
agent started is killed with SIGKILL.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import proc, signals, sockets, wire
from traceproof.recorder.shim.itself import Itself
from traceproof.recorder.shim.plan import Plan

_FAILED = 127
_TIOCSCTTY = 0x540E
_CLONE_NEWNS = 0x20000


class ForkedBody:
    """A child of this process that waits to be told what to become.

    Args:
        arguments: The launcher's path and the arguments it was given.

    Attributes:
        pid: Its own.
        arguments: The argument vector.
        environment: The environment, as `NAME=value`.
        outer: This process.
    """

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = [os.fsencode(argument) for argument in arguments]
        self.arguments[0] = os.path.basename(self.arguments[0])
        self.environment = proc.texts("/proc/self/environ")
        self._ignored = signals.ignored_now()
        self._socket, theirs = sockets.stream_pair()
        self._blocked = signals.block_all()
        try:
            self.pid = os.fork()
            if not self.pid:
                self._socket.close()
                self._wait(theirs)
            self.outer = Itself(self.pid, self._ignored, self._blocked)
        except OSError:
            signals.block_only(self._blocked)
            raise
        theirs.close()

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
        signals.restore(self._ignored)
        signals.block_only(self._blocked)
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
