"""Remembers what was said up to each response that a later request may name and go on from.

Such a request holds only what is new (`previous_response_id`). What came before is here as the
elements of the requests and answers that it was made of, shared with whatever else knows them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from traceproof.recorder.pieces import Content

_REMEMBERED = 64
"""Responses that can be gone on from: an agent names its newest, of a few conversations."""


class Past(NamedTuple):
    """What was said before; not `whole` where its beginning is unknown."""

    contents: list[Content]
    whole: bool


@dataclass(slots=True, eq=False)
class _Turn:
    """A request and its answer, after those before it: what is common is there once."""

    before: _Turn | None
    contents: tuple[Content, ...]
    whole: bool


class Conversations:
    """The conversations of one session, by the id of the response that each has reached."""

    def __init__(self, remember: int = _REMEMBERED) -> None:
        self._remember = remember
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def past(self, response_id: str) -> Past:
        """Return what was said up to and with a response; nothing where it is not known."""
        turn = self._turns.get(response_id)
        if turn is None:
            return Past([], whole=False)
        whole, turns = turn.whole, []
        while turn is not None:
            turns.append(turn.contents)
            turn = turn.before
        return Past([content for contents in reversed(turns) for content in contents], whole)

    def add(self, response_id: str, contents: Sequence[Content], previous: str = "") -> None:
        """Remember a response: what its request held and what it said; `previous` came before."""
        before = self._turns.get(previous)
        whole = before.whole if before else not previous
        self._turns[response_id] = _Turn(before, tuple(contents), whole)
        self._turns.move_to_end(response_id)
        if len(self._turns) > self._remember:
            self._turns.popitem(last=False)
