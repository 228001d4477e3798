"""Takes the connections of the pytest plugin, and leads each to the plan of its command.

Used on the listener's thread; a plan is looked up by the command that the plugin names.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import count

from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.peers import Answer
from traceproof.recorder.shell.words import credible
from traceproof.recorder.shim import wire
from traceproof.recorder.testruns.plan import TestPlan


class Desk:
    """Knows the commands that run tests at present. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._plans: dict[str, TestPlan] = {}
        self._names = count(1)
        self._lock = threading.Lock()

    def name(self) -> str:
        """Return a name for a command that begins: `Door.command`."""
        return str(next(self._names))

    def open(self, name: str, plan: TestPlan) -> None:
        """Let the plugin's connections for a command be taken."""
        with self._lock:
            self._plans[name] = plan

    def close(self, name: str) -> None:
        """Take no more connections for a command."""
        with self._lock:
            self._plans.pop(name, None)

    def take(self, hello: Hello, answer: Answer) -> Plugin | None:
        """Take a connection (a `PeerFactory`); None where nobody waits for it."""
        with self._lock:
            plan = self._plans.get(hello.text("command"))
        answer()
        return Plugin(plan) if plan else None


class Plugin:
    """One session of pytest that tells: a `Peer`."""

    _numbers = count(1)

    def __init__(self, plan: TestPlan) -> None:
        self._plan = plan
        self._number = next(self._numbers)

    def packets(self, packets: Sequence[Packet]) -> bool:
        """Take events."""
        began, now = self._plan.start.started, time.time_ns()
        for packet in packets:
            if packet.kind == wire.TEST:
                when = credible(packet.time, began, max(began, now))
                self._plan.told.take(self._number, when, packet.payload)
        return False

    def look(self) -> None:
        """Do nothing: results go on record when the command has ended."""

    def hung_up(self, why: str) -> None:
        """Do nothing: a session without its end was aborted."""

    def close(self) -> None:
        """Do nothing, as above."""
