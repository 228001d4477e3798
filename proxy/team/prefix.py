"""Whose conversation a request continues, where it names no session: the beginning tells.

Agents send the whole conversation with every call. So a request goes on from an earlier one whose
messages are its first ones. This is an inference: two conversations may begin with the same words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from traceproof.proxy.dialects.base import Dialect
from traceproof.recorder.pieces import Splitter

MOST = 50_000
"""Requests remembered at most."""

Key = TypeVar("Key")


def names_of(dialect: Dialect, body: bytes) -> list[int]:
    """Name each beginning of a request's conversation, cache markers left out.

    Number `n` stands for the messages up to `n`; a request that goes on from there has the same
    name in the same place.
    """
    key = dialect.layout.messages
    names, name = [], hash(dialect.name)
    for element in Splitter([key]).split(body).elements(key):
        name = hash((name, element.content.data))
        names.append(name)
    return names


class Prefixes(Generic[Key]):
    """Remembers conversations, and which session each is of."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tips: OrderedDict[int, list[Key]] = OrderedDict()
        """The last request of each conversation, so far; several may be alike."""
        self._seen: OrderedDict[int, Key] = OrderedDict()
        """Every request, for one that goes back in its conversation."""
        self._failed: dict[int, Key] = {}
        self._names: dict[Key, set[int]] = {}
        """What is to be forgotten with each session."""

    def find(self, names: Sequence[int]) -> Key | None:
        """Return the session that a conversation goes on in; None if it begins one.

        The same request again is another conversation with the same words, unless the first got
        no answer: then it is a retry.
        """
        if names and names[-1] in self._failed:
            return self._failed.pop(names[-1])
        for name in reversed(names[:-1]):
            tips = self._tips.get(name)
            if tips:
                return tips.pop(0)
            if name in self._seen:
                return self._seen[name]
        return None

    def add(self, names: Sequence[int], key: Key) -> None:
        """Remember a request of a session."""
        if names:
            self._seen[names[-1]] = key
            self._tips.setdefault(names[-1], []).append(key)
            self._names.setdefault(key, set()).add(names[-1])
            while len(self._seen) > self._most:
                name, oldest = self._seen.popitem(last=False)
                self._names[oldest].discard(name)
                self._tips.pop(name, None)
                self._failed.pop(name, None)

    def failed(self, names: Sequence[int], key: Key) -> None:
        """Take note that a request got no answer, so that it may be sent again."""
        if names and names[-1] in self._seen:
            self._failed[names[-1]] = key

    def forget(self, key: Key) -> None:
        """Forget all of a session that is over."""
        for name in self._names.pop(key, ()):
            for kept in (self._seen, self._failed):
                if kept.get(name) == key:
                    del kept[name]
            others = [found for found in self._tips.pop(name, ()) if found != key]
            if others:
                self._tips[name] = others
