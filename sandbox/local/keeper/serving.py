"""The keeper at work: one request after the other, each to its end and all it started to theirs.

When the owner is gone, so is everything. What a request does is in `commands` and `folders`.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from traceproof.sandbox.local.keeper import commands, folders, watch, wire
from traceproof.sandbox.local.keeper.ending import end_all
from traceproof.sandbox.local.keeper.plan import Plan

_GRACE = 5.0
"""Seconds from TERM to KILL."""
_TICK = 1.0
"""Seconds between looks at the memory."""
_ACTION_SECONDS = 600.0


class Keeper:
    """Serves a box's owner.

    Args:
        line: the socket to the owner.
        plan: the box.
        private: an open folder, see `spaces.enter`.
    """

    def __init__(self, line: socket.socket, plan: Plan, private: int) -> None:
        self._private = private
        self._line = line
        self._plan = plan
        self._awake, awaken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(awaken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Answer requests until the owner is gone; then end everything."""
        while True:
            request, files = wire.receive(self._line)
            if request is None:
                break
            outcome = self._perform(request, files)
            end_all(self._plan)
            if outcome is None:
                break
            wire.send(self._line, outcome)
        end_all(self._plan)

    def _perform(self, request: wire.Message, files: list[int]) -> wire.Message | None:
        began = time.monotonic()
        try:
            child = commands.start(self._plan, request["user"], files, self._action(request))
        finally:
            for file in files:
                os.close(file)
        attempt = _Attempt(child, began + request.get("seconds", _ACTION_SECONDS))
        if not self._wait_for(attempt):
            return None
        code = os.waitstatus_to_exitcode(attempt.status)
        return {
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "seconds": time.monotonic() - began,
            "timed_out": attempt.timed_out,
            "out_of_memory": attempt.out_of_memory,
        }

    def _action(self, request: wire.Message) -> Callable[[], None]:
        if request["do"] == "unpack":
            return partial(self._unpack, request["to"])
        if request["do"] == "show":
            return partial(self._show, request["path"], request["limit"])
        words = request["argv"], request["cwd"], request["environment"]
        return partial(commands.run, commands.Command(*words))

    def _unpack(self, to: str) -> None:
        folders.unpack(folders.opened(self._plan, self._private, to, make=True))

    def _show(self, path: str, limit: int) -> None:
        folder, _, name = path.rpartition("/")
        folders.show(folders.opened(self._plan, self._private, folder), name, limit)

    def _wait_for(self, attempt: _Attempt) -> bool:
        """Wait until the child ended; False where the owner is gone before."""
        poll = select.poll()
        poll.register(self._awake, select.POLLIN)
        poll.register(self._line, select.POLLIN | select.POLLRDHUP)
        look = time.monotonic() + _TICK
        while not attempt.ended():
            ready = dict(poll.poll(1000 * min(_TICK, attempt.patience())))
            if self._line.fileno() in ready:
                return False
            with suppress(BlockingIOError):
                os.read(self._awake, 4096)
            attempt.hurry()
            if time.monotonic() > look:
                self._look(attempt)
                look = time.monotonic() + _TICK
        return True

    def _look(self, attempt: _Attempt) -> None:
        if watch.memory_used(self._plan) > self._plan.memory:
            attempt.out_of_memory = True
            attempt.kill()


class _Attempt:
    """A child that is waited for."""

    def __init__(self, child: int, deadline: float) -> None:
        self._child = child
        self._deadline = deadline
        self.status = 0
        self.timed_out = False
        self.out_of_memory = False

    def ended(self) -> bool:
        """Collect what ended; say whether the child is among it."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == self._child:
                self.status = status
                return True
            if not pid:
                return False

    def patience(self) -> float:
        """Return the seconds until there is something to do about the time."""
        return max(self._deadline - time.monotonic(), 0.01)

    def hurry(self) -> None:
        """Send the signal that is due: first TERM to the command's group, at last KILL."""
        if time.monotonic() < self._deadline:
            return
        if self.timed_out:
            self.kill()
        else:
            self._signal(signal.SIGTERM)
        self.timed_out = True
        self._deadline = time.monotonic() + _GRACE

    def kill(self) -> None:
        """End the command at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child, number)
