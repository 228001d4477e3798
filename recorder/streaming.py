"""Masking a stream piece by piece: any chunking gives what masking the whole would give.

Bytes that may be the start of a secret are held until what follows tells; all others leave at once.
A secret whose parts are apart, each in an event of its own, is the business of
`traceproof.recorder.fragments`.
"""

from __future__ import annotations

from collections.abc import Iterable

from traceproof.recorder.patterns import CONTEXT
from traceproof.recorder.redaction import (
    Mask,
    Masked,
    Match,
    Redactor,
    merge,
    substitute,
    token,
)


class StreamMasker:
    """Masks one stream; the offsets of masks count from the start of each returned piece."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._buffer = b""
        self._context = 0
        self._given: list[Match] = []

    @property
    def held(self) -> int:
        """How many bytes wait for what follows."""
        return len(self._buffer) - self._context

    def feed(self, data: bytes, masks: Iterable[Mask] = ()) -> Masked:
        """Take bytes and return what may be stored.

        Args:
            data: the next bytes.
            masks: what was masked in them already; it is handed on, with the right offset.
        """
        self._given += [_match(mask, len(self._buffer)) for mask in masks]
        self._buffer += data
        return self._release(final=False)

    def finish(self) -> Masked:
        """Return the rest: no more bytes will come."""
        return self._release(final=True)

    def _release(self, *, final: bool) -> Masked:
        data, context = self._buffer, self._context
        matches = self._redactor.matches(data, context)
        if self._given:
            matches = list(merge([*matches, *self._given]))
        cut = len(data) if final else self._redactor.settled(data, matches, context)
        masked = substitute(data[:cut], [match for match in matches if match.end <= cut], context)
        self._keep(cut)
        return masked

    def _keep(self, cut: int) -> None:
        start = max(0, cut - CONTEXT)
        self._given = [
            match._replace(start=match.start - start, end=match.end - start)
            for match in self._given
            if match.start >= cut
        ]
        self._buffer = self._buffer[start:]
        self._context = cut - start


def _match(mask: Mask, before: int) -> Match:
    """Treat a mask as what it stands for: putting it in its own place changes nothing."""
    start = before + mask.offset
    return Match(start, start + len(token(mask.name)), mask.name, mask.encoding)
