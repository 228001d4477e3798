"""The owner's side of a keeper: it is started, asked, and ended.

What a keeper does is in `traceproof.sandbox.local.keeper`.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from traceproof.sandbox.errors import OutOfRoom, SandboxError
from traceproof.sandbox.local.keeper import wire
from traceproof.sandbox.local.keeper.plan import Plan
from traceproof.sandbox.local.pump import Kept, Pump, Reports

_PROGRAM = (sys.executable, "-P", "-m", "traceproof.sandbox.local.keeper")
_START_SECONDS = 300.0
"""The copy of the tree is in it."""
_END_SECONDS = 10.0
_NO_ROOM = (28, 122)
"""ENOSPC, EDQUOT."""
_OURS = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What of our environment the keeper's Python may need to be found. Commands see none of it."""


class Keeper:
    """A running keeper.

    Args:
        plan: the box it is to make.

    Raises:
        SandboxError: it cannot be made.
    """

    def __init__(self, plan: Plan) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*_PROGRAM, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={name: os.environ[name] for name in _OURS if name in os.environ},
                start_new_session=True,  # Ctrl-C is the owner's
            )
        try:
            self._begin(plan)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process; of its namespaces, where it has some, it is the one outside."""
        return self._process.pid

    def ask(
        self,
        request: wire.Message,
        *,
        stdin: Iterable[bytes],
        outputs: tuple[Kept, Kept],
        reports: Reports,
        deadline: float,
    ) -> dict[str, Any] | None:
        """Have something done in the box.

        Args:
            request: what.
            stdin: what it reads.
            outputs: take its stdout and stderr.
            reports: take what comes through the channel.
            deadline: by the monotonic clock.

        Returns:
            How it ended; None where it did not: too many reports came, or the time was up.

        Raises:
            SandboxError: the keeper ended.
        """
        files: list[int] = []
        pairs = [os.pipe() for _ in range(3)]
        files = [pairs[0][0], pairs[1][1], pairs[2][1]]
        ends = [pairs[0][1], pairs[1][0], pairs[2][0]]
        try:
            wire.send(self._line, request, files)
        except OSError:
            for end in ends:
                os.close(end)
            raise self._ended() from None
        finally:
            for file in files:
                os.close(file)
        pump = Pump((ends[0], stdin), zip(ends[1:], outputs, strict=True), reports, self._fileno())
        if not pump.run(deadline):
            return None
        answer, _ = wire.receive(self._line)
        if answer is None:
            raise self._ended()
        return answer

    def end(self) -> None:
        """End it, and with it everything in its box; from any thread, while another one asks."""
        self._hang_up()
        self._await_end()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End it and forget it; nobody may be asking."""
        self.end()
        self._line.close()
        if self._process.stderr:
            self._process.stderr.close()

    def _hang_up(self) -> None:
        try:
            self._line.shutdown(socket.SHUT_WR)
        except OSError:  # closed, or the other side is gone: either way it is done
            return

    def _await_end(self) -> None:
        """Wait for its side to close; `Popen.wait` with a time-out would sleep between looks."""
        if self._line.fileno() >= 0 and self._process.returncode is None:
            poll = select.poll()
            poll.register(self._line, select.POLLIN)
            poll.poll(1000 * _END_SECONDS)

    def _begin(self, plan: Plan) -> None:
        wire.send(self._line, plan._asdict())
        self._line.settimeout(_START_SECONDS)
        try:
            answer, _ = wire.receive(self._line)
        except TimeoutError:
            raise SandboxError(f"a local box was not ready in {_START_SECONDS:.0f} s") from None
        self._line.settimeout(None)
        if answer is None:
            raise self._ended()
        if "failed" in answer:
            kind = OutOfRoom if answer["number"] in _NO_ROOM else SandboxError
            raise kind(f"no local box can be made: {answer['at']}: {answer['failed']}")

    def _fileno(self) -> int:
        if self._line.fileno() < 0:
            raise SandboxError("the local box was destroyed")
        return self._line.fileno()

    def _ended(self) -> SandboxError:
        """Say what is known of a keeper that is gone."""
        self._hang_up()
        deadline = time.monotonic() + 1
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        told = b""
        if self._process.poll() is not None and self._process.stderr:
            told = self._process.stderr.read()
        last = told.decode(errors="replace").strip().rpartition("\n")[2]
        return SandboxError(f"the keeper of a local box ended early{last and ': '}{last}")
