"""One text that grows fragment by fragment: which stretches of it are secret, and since when.

This is the half of `traceproof.recorder.fragments` that knows text; that module knows the events
the fragments came in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from traceproof.recorder.patterns import CONTEXT
from traceproof.recorder.redaction import Redactor


@dataclass(slots=True, eq=False)
class Secret:
    """A stretch of the text that must not be stored; offsets in bytes from the text's start."""

    start: int
    end: int
    name: str
    encoding: str
    named: bool = False
    """Whether a mask with its name has been put somewhere: once is enough."""


@dataclass(slots=True, eq=False)
class RunningText:
    """A channel's text. Memory is bounded by what is not settled yet."""

    redactor: Redactor
    settled: int = 0
    """Up to here it is known what is secret."""
    secrets: list[Secret] = field(default_factory=list)
    _buffer: bytes = b""
    _context: int = 0

    @property
    def length(self) -> int:
        """All bytes so far."""
        return self.settled + len(self._buffer) - self._context

    @property
    def clear(self) -> bool:
        """Whether all of it is known, and nothing in it is secret."""
        return self.settled == self.length and not self.secrets

    def append(self, data: bytes) -> tuple[int, int]:
        """Add a fragment and return where it lies in the text."""
        start = self.length
        self._buffer += data
        self._settle(final=False)
        return start, start + len(data)

    def close(self) -> None:
        """Settle what is left: no more text will come, or it will be another text."""
        self._settle(final=True)

    def _settle(self, *, final: bool) -> None:
        data, context = self._buffer, self._context
        matches = self.redactor.matches(data, context)
        cut = len(data) if final else self.redactor.settled(data, matches, context)
        base = self.settled - context
        self.secrets += [
            Secret(base + match.start, base + match.end, match.name, match.encoding)
            for match in matches
            if match.end <= cut
        ]
        start = max(0, cut - CONTEXT)
        self._buffer, self._context = data[start:], cut - start
        self.settled = base + cut

    def within(self, start: int, end: int) -> list[Secret]:
        """Return the secrets that a stretch has a part of."""
        return [secret for secret in self.secrets if secret.start < end and secret.end > start]

    def forget(self, end: int) -> None:
        """Drop the secrets before an offset: their fragments have left."""
        self.secrets = [secret for secret in self.secrets if secret.end > end]
