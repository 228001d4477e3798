"""Gives ids to tool calls that a wire format leaves without: by their name and their order.

The ids follow from the conversation. So an answer's calls get the ids that they will have when the
next request sends them back, and a result finds its call: the first of its name that still waits.
Gemini CLI sends calls back with ids of its own making; a call in the place of one whose answer gave
none is that one all the same. One `CallIds` goes through one conversation, message by message.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from traceproof.recorder.messages import Message, Part

_MADE = re.compile(r".*#\d+\.[0-9a-f]{8}", re.DOTALL)


def is_made(call_id: str) -> bool:
    """Tell whether an id was made here: the call and its result were then joined by order."""
    return bool(_MADE.fullmatch(call_id))


class Mention(NamedTuple):
    """A call in a message, or a result of one; `call_id` is empty where the wire has none."""

    call_id: str
    name: str
    is_result: bool


def mentions(message: Message) -> tuple[Mention, ...]:
    """Return the calls and results that a message holds, in order."""
    return tuple(
        Mention(str(part.get("id", "")), str(part.get("name", "")), _is_result(part))
        for part in _parts(message)
    )


def put(message: Message, ids: Sequence[str]) -> None:
    """Give a message's calls and results their ids; an id that a part had is kept beside."""
    for part, call_id in zip(_parts(message), ids, strict=True):
        if part.get("id") not in {"", call_id}:
            part["extra"] = {**part.get("extra", {}), "id": part["id"]}
        part["id"] = call_id


class CallIds:
    """Goes through one conversation.

    Args:
        made: The ids that answers' calls were given in this session, in any of its conversations.
            Those of this one's answer are added.
    """

    def __init__(self, made: set[str] | None = None) -> None:
        self._made = set[str]() if made is None else made
        self._renamed: dict[str, str] = {}
        self._opening = sha256()
        self._answered = False
        self._counts: Counter[str] = Counter()
        self._given: set[str] = set()
        self._waiting: dict[str, deque[str]] = {}

    def ids(self, found: Iterable[Mention]) -> tuple[str, ...]:
        """Return the ids of what the next message mentions."""
        return tuple([self._result(each) if each.is_result else self._call(each) for each in found])

    def heard(self, role: str, name: str) -> None:
        """Take note of a message: what comes before the first answer tells conversations apart."""
        self._answered = self._answered or role == "assistant"
        if not self._answered:
            self._opening.update(name.encode())

    def answer(self, messages: Iterable[Message]) -> None:
        """Give ids to the calls of an answer, whose messages are alternatives of each other."""
        counts = Counter(self._counts)
        for message in messages:
            found = mentions(message)
            put(message, [self._answered_call(each) for each in found])
            self._counts = Counter(counts)

    def _answered_call(self, call: Mention) -> str:
        if call.call_id:
            return call.call_id
        made = self._next(call.name)
        self._made.add(made)
        self._counts[call.name] += 1
        return made

    def _call(self, call: Mention) -> str:
        if call.call_id and not (self._made and self._next(call.name) in self._made):
            self._given.add(call.call_id)
            return call.call_id
        made = self._next(call.name)
        self._counts[call.name] += 1
        if call.call_id:
            self._renamed[call.call_id] = made
        self._waiting.setdefault(call.name, deque()).append(made)
        return made

    def _next(self, name: str) -> str:
        """Return the id of the next call of that name, should it have none."""
        return f"{name}#{self._counts[name]}.{self._opening.hexdigest()[:8]}"

    def _result(self, result: Mention) -> str:
        """Return the id of the call that a result answers; agents make ids up, so these may lie."""
        if result.call_id in self._given:
            return result.call_id
        if result.call_id in self._renamed:
            made = self._renamed[result.call_id]
            for calls in self._waiting.values():
                if made in calls:
                    calls.remove(made)
            return made
        waiting = self._waiting.get(result.name or self._longest_waiting())
        return waiting.popleft() if waiting else result.call_id

    def _longest_waiting(self) -> str:
        """Return the name of the oldest calls that wait; a result may say nothing at all."""
        return next((name for name, calls in self._waiting.items() if calls), "")


def _parts(message: Message) -> list[Part]:
    kinds = {"tool_call", "tool_call_response"}
    return [part for part in message.parts if part.get("type") in kinds]


def _is_result(part: Part) -> bool:
    return part.get("type") == "tool_call_response"
