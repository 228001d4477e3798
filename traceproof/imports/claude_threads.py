"""Which line of Claude Code's transcript goes on from which: a user may go back and begin anew.

Lines name the one before them. A result of a tool call names the line that asked for it, which is
no going back where several were asked for at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from traceproof.imports.events import Back
from traceproof.proxy.dialects import wire


class _Line(NamedTuple):
    """A line by its id; `key` is the message it is of, `speaks` whether somebody says something."""

    uuid: str
    key: str
    speaks: bool


class Threads:
    """The lines of one agent's conversation, in order, by their ids.

    A name that is not there, or that comes later, is no going back: so no circle leads anywhere.
    """

    def __init__(self, agent_id: str, notes: wire.Notes) -> None:
        self._agent_id = agent_id
        self._notes = notes
        self._order: list[_Line] = []
        self._at: dict[str, int] = {}

    def add(self, uuid: str, key: str = "") -> None:
        """Take a line that goes on from wherever it is: a result, or what says nothing."""
        self._add(_Line(uuid, key, speaks=False))

    def went_on(self, parent: object, uuid: str, key: str) -> Iterator[Back]:
        """Take a line in which somebody speaks; yields where that goes back to, if it does."""
        at = self._at.get(parent) if isinstance(parent, str) else None
        if isinstance(parent, str) and at is None and self._order:
            self._notes.add("a line goes on from one that is not there before it")
        if at is not None and self._left(at):
            self._cut(at + 1)
            yield Back(next((x.key for x in reversed(self._order) if x.key), ""), self._agent_id)
        self._add(_Line(uuid, key, speaks=True))

    def _left(self, at: int) -> bool:
        """Tell whether something was said after a line that is no part of the same answer."""
        own = self._order[at].key
        later = (self._order[i] for i in range(len(self._order) - 1, at, -1))
        return any(line.speaks and line.key != own for line in later)

    def _cut(self, length: int) -> None:
        for line in self._order[length:]:
            self._at.pop(line.uuid, None)
        del self._order[length:]

    def _add(self, line: _Line) -> None:
        if line.uuid:
            self._at[line.uuid] = len(self._order)
            self._order.append(line)


class Sidechains:
    """Which sub-agent a line is of, where older versions put their lines among the main agent's.

    Those that go on from one another are of one; what a user says that goes on from none of them
    begins the next.
    """

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._last = ""
        self._met = 0

    def of(self, line: dict[str, Any]) -> str:
        """Return the id of a line's sub-agent, one of ours where none is told."""
        uuid, parent = wire.text(line.get("uuid")), wire.text(line.get("parentUuid"))
        found = wire.text(line.get("agentId")) or self._of.get(uuid) or self._of.get(parent)
        if not found and (line.get("type") == "user" or not self._last):
            self._met += 1
            found = f"sidechain-{self._met}"
        self._last = found or self._last
        if uuid:
            self._of[uuid] = self._last
        return self._last
