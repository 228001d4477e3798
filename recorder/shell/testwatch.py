"""Watches the commands that run tests: what they write, and what the pytest plugin tells of them.

What a test run is, and what is read from its output, is `traceproof.recorder.testruns`' business;
this module brings it what it needs, and no more of the output than it looks at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.peers import RECORD, Answer, Fields, Peer
from traceproof.recorder.span import Span
from traceproof.recorder.testruns.collect import collect
from traceproof.recorder.testruns.output import Excerpt, Output
from traceproof.recorder.testruns.peer import Desk
from traceproof.recorder.testruns.plan import Door, TestPlan, plan

_PATIENCE = 0.5
"""Seconds that a command's results wait for a plugin that has not hung up though the command has
ended."""


_CUT = "…"
"""The end of a text that the plugin cut."""


class TestWatch:
    """Watches the commands of one recording: `begin` and `take` are called on one thread.

    Args:
        socket: Where the listener is, for the plugin.
        token: What the plugin's hello must bring.
        redactor: Masks what the plugin says, before anything of it is cut.
    """

    __test__ = False  # pytest collects what is called like this

    def __init__(self, socket: Path, token: str, redactor: Redactor) -> None:
        self._socket, self._token = str(socket), token
        self._redactor = redactor
        self._desk = Desk()
        self._watched: dict[str, WatchedTests] = {}

    def begin(self, start: CommandStart) -> WatchedTests | None:
        """Look at a command that begins; None where it runs no tests."""
        name = self._desk.name()
        found = plan(start, Door(self._socket, self._token, name))
        if found is None:
            return None
        found.told.clean = self._clean
        watched = self._watched[name] = WatchedTests(found, lambda: self._end(name))
        self._desk.open(name, found)
        return watched

    def take(self, hello: Hello, answer: Answer) -> Peer | None:
        """Take a plugin's connection: a `PeerFactory`."""
        plugin = self._desk.take(hello, answer)
        watched = self._watched.get(hello.text("command"))
        return _Attended(plugin, watched) if plugin and watched else plugin

    def _clean(self, text: str) -> str:
        if text.endswith(_CUT):
            return self._redactor.mask_cut(text.removesuffix(_CUT)) + _CUT
        return self._redactor.mask_text(text)

    def _end(self, name: str) -> None:
        self._desk.close(name)
        self._watched.pop(name, None)


class WatchedTests:
    """A command that runs tests, while it runs. `fields` are to be in its answer."""

    def __init__(self, expected: TestPlan, ended: Callable[[], None]) -> None:
        self.fields: Fields = (
            *RECORD,
            *((f"set.{name}".encode(), os.fsencode(value))
              for name, value in expected.environment.items()),
        )  # fmt: skip
        self._plan = expected
        self._ended = ended
        self._excerpts = {name: Excerpt() for name in ("stdout", "stderr", "output")}
        self._plugins = 0
        self._idle = threading.Event()
        self._idle.set()

    def take(self, stream: str, data: bytes) -> None:
        """Take what the command wrote, masked."""
        self._excerpts[stream].add(data)

    def results(self, end: CommandEnd) -> list[Span]:
        """Return the spans of its test runs, once it has ended; not on the listener's thread."""
        self._idle.wait(_PATIENCE)
        self.close()
        said = {name: excerpt.read() for name, excerpt in self._excerpts.items()}
        return collect(self._plan, end, Output(said["stdout"], said["stderr"], said["output"]))

    def close(self) -> None:
        """Take no more of it."""
        self._ended()

    def attend(self, plugins: int) -> None:
        """Note that plugins connected, or (below 0) that they went."""
        self._plugins += plugins
        if self._plugins:
            self._idle.clear()
        else:
            self._idle.set()


class _Attended:
    """A plugin's connection, counted as long as it lasts."""

    def __init__(self, plugin: Peer, watched: WatchedTests) -> None:
        self._plugin, self._watched = plugin, watched
        watched.attend(1)

    def packets(self, packets: Sequence[Packet]) -> bool:
        return self._plugin.packets(packets)

    def look(self) -> None:
        self._plugin.look()

    def hung_up(self, why: str) -> None:
        self._plugin.hung_up(why)
        self._watched.attend(-1)

    def close(self) -> None:
        self._plugin.close()
        self._watched.attend(-1)
