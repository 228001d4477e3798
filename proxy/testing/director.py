"""Finds the turn that answers a request: by the conversation, not by the order of arrival.

Agents run sub-agents and side calls at once, and retry. So a turn's place is read off the request
itself: the first turn of the scene that comes after all those the conversation already shows, by
the ids of their tool calls (which tell their turn) or by their words. A request sent again finds
the same turn again; only which of its faults are used up is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from traceproof.proxy.testing.parts import Cite, Custom, Echo, Refuse, Say, Use
from traceproof.proxy.testing.request import Request, Said
from traceproof.proxy.testing.script import ComputedTurn, Scene, Script, Turn

CALL_MARK = re.compile(r"s(\d+)t(\d+)p")


class Cue(NamedTuple):
    """What to answer: a turn, where it stands, and the how-manieth request for it this is."""

    turn: Turn
    scene: int
    """-1 for the script's default."""
    step: int
    """The turn's index in its scene."""
    attempt: int
    name: str = ""
    computed: bool = False
    """The turn depends on the request, so its bytes cannot be kept for another."""


@dataclass
class Director:
    """Runs one script; not thread-safe."""

    script: Script

    def __post_init__(self) -> None:
        """Start with no request seen."""
        self._asked: Counter[tuple[int, int, str]] = Counter()

    def cue(self, request: Request) -> Cue:
        """Return the turn that answers a request."""
        for number, scene in enumerate(self.script.scenes):
            if scene.when(request):
                index = progress(scene, number, request)
                return self._play(scene, number, index, request)
        return self._cue(self.script.default, -1, 0, "", request)

    def _play(self, scene: Scene, number: int, index: int, request: Request) -> Cue:
        if callable(scene.turns):
            return self._cue(scene.turns, number, index, scene.name, request)
        if index >= len(scene.turns):
            if not (scene.repeat and scene.turns):
                return self._cue(self.script.default, -1, 0, scene.name, request)
            return self._cue(scene.turns[-1], number, index, scene.name, request)
        return self._cue(scene.turns[index], number, index, scene.name, request)

    def _cue(
        self, turn: Turn | ComputedTurn, scene: int, index: int, name: str, request: Request
    ) -> Cue:
        place = (scene, index, request.conversation)
        attempt = self._asked[place]
        self._asked[place] += 1
        made = turn if isinstance(turn, Turn) else turn(request)
        said = resolve(made, request)
        return Cue(said, scene, index, attempt, name, computed=said is not turn)


def resolve(turn: Turn, request: Request) -> Turn:
    """Return the turn with what it echoes put in."""
    if not any(isinstance(part, Echo) for part in turn.parts):
        return turn
    parts = [_echo(part, request) if isinstance(part, Echo) else part for part in turn.parts]
    return Turn(parts, turn.stop, turn.usage, turn.faults, turn.piece)


def _echo(part: Echo, request: Request) -> Say:
    found = re.findall(part.pattern, request.text)
    last = found[-1] if found else ""
    return Say(part.template.replace("{}", last if isinstance(last, str) else last[0]))


def progress(scene: Scene, number: int, request: Request) -> int:
    """Return how far a conversation is: the index of the scene's next turn."""
    if callable(scene.turns):
        return request.assistants
    index = 0
    for said in request.view.messages:
        if said.role == "assistant":
            index = _after(scene, number, index, said)
    return index


def _after(scene: Scene, number: int, index: int, said: Said) -> int:
    """Return the index after the turn that a message shows, or `index` if it shows none of ours."""
    marked = _marked(number, said)
    if marked is not None:
        return max(index, marked + 1)
    turns = scene.turns
    if callable(turns):
        return index
    if index >= len(turns):
        return index + 1 if scene.repeat else index
    for later, turn in enumerate(turns[index:], index):
        if isinstance(turn, Turn) and _shows(said, turn):
            return later + 1
    unknowable = index and not _literal(turns[index])
    return index + 1 if unknowable else index


def _literal(turn: Turn | ComputedTurn) -> bool:
    return isinstance(turn, Turn) and not any(isinstance(part, Echo) for part in turn.parts)


def _marked(number: int, said: Said) -> int | None:
    marks = (CALL_MARK.search(call) for call in said.calls)
    turns = [int(mark[2]) for mark in marks if mark and int(mark[1]) == number]
    return max(turns, default=None)


def _shows(said: Said, turn: Turn) -> bool:
    ids = {part.id for part in turn.parts if isinstance(part, Use | Custom)}
    if not ids.isdisjoint(said.calls):
        return True
    words = [part.text.strip() for part in turn.parts if isinstance(part, Say | Cite | Refuse)]
    return bool("".join(words)) and all(word in said.text for word in words)
