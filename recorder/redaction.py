"""Masking credentials in whatever is about to be stored.

The exact values that are known from the launch (environment, headers, token responses; see
`traceproof.recorder.secrets`) are masked first, in every form that
`traceproof.recorder.secret_forms` knows; then pattern rules, where there are any. A mask reads
`<SECRET:NAME>`. Values are kept in memory and shown nowhere: not by `repr`, not by an error.

This module works on whole bytes; for streams see `traceproof.recorder.streaming` and
`traceproof.recorder.fragments`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import NamedTuple

from traceproof.recorder.needles import Needles
from traceproof.recorder.patterns import Rule
from traceproof.recorder.secret_forms import forms

LEAST_LENGTH = 8
LEAST_DISTINCT = 4
LEAST_DIGITS = 12
"""A number is masked from this many digits on: shorter ones are ports, sizes and times."""

NOT_SECRET = {
    "127.0.0.1", "anonymous", "application/json", "changeme", "default", "development", "disabled",
    "enabled", "file-based", "keychain", "localhost", "optional", "password", "production",
    "required", "undefined", "username",
}  # fmt: skip

PATTERN = "pattern"
"""The encoding that is recorded for what a pattern rule found."""


class Mask(NamedTuple):
    """Where a secret stood: `<SECRET:name>` is at `offset` of the masked bytes."""

    offset: int
    name: str
    encoding: str = "plain"

    def record(self) -> list[int | str]:
        """Return it as a trace file's blob lists it: the encoding is left out when plain."""
        return list(self if self.encoding != "plain" else self[:2])


class Masked(NamedTuple):
    """Bytes that may be stored, and what was masked in them, by ascending offset."""

    data: bytes
    masks: list[Mask]


class Match(NamedTuple):
    """A stretch of bytes to be masked."""

    start: int
    end: int
    name: str
    encoding: str

    @property
    def weight(self) -> tuple[bool, int]:
        """What decides the name where matches overlap: exact before pattern, longer first."""
        return self.encoding != PATTERN, self.end - self.start


class _Known(NamedTuple):
    """Everything known at one moment; replaced as a whole, so that readers need no lock."""

    needles: Needles
    origins: dict[bytes, tuple[str, str]]
    """Form → name and encoding."""


class Redactor:
    """Knows secrets and masks them. Any thread may add one while others mask."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = tuple(rules)
        self._lock = Lock()
        self._values: set[str] = set()
        self._known = _Known(Needles(), {})

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._values)} values, {len(self._rules)} rules>"

    def add(self, name: str, value: str) -> bool:
        """Mask a value from now on; of two names for one value the first stays.

        Returns:
            False where the value is too short or too common to be a secret.
        """
        self.add_all([(name, value)])
        return is_maskable(value)

    def add_all(self, secrets: Iterable[tuple[str, str]]) -> None:
        """Mask these values from now on, as `add` does; many at once cost little more than one."""
        with self._lock:
            origins: dict[bytes, tuple[str, str]] = {}
            for name, value in secrets:
                if is_maskable(value) and value not in self._values:
                    self._values.add(value)
                    clean = clean_name(name)
                    for form, encoding in forms(value).items():
                        origins.setdefault(form, (clean, encoding))
            if origins:
                origins |= self._known.origins
                self._known = _Known(Needles(origins), origins)

    def mask(self, data: bytes) -> Masked:
        """Mask every secret in some bytes, all that there are."""
        return substitute(data, self.matches(data))

    def mask_text(self, text: str) -> str:
        """Mask every secret in a text."""
        data = text.encode(errors="surrogatepass")
        masked = self.mask(data)
        return masked.data.decode(errors="surrogatepass") if masked.masks else text

    def mask_cut(self, text: str) -> str:
        """Mask every secret in a text whose end was cut off; what may begin one there goes too."""
        data = text.encode(errors="surrogatepass")
        matches = self.matches(data)
        end = self.settled(data, matches)
        kept = substitute(data[:end], [match for match in matches if match.end <= end])
        return kept.data.decode(errors="ignore")

    def holdback(self, tail: bytes) -> int:
        """Return how many bytes at the end could belong to a secret that is not yet whole.

        A caller that masks piece by piece must not store them before it has seen what follows.
        """
        return len(tail) - self.settled(tail, self.matches(tail))

    def matches(self, data: bytes, start: int = 0) -> list[Match]:
        """Return what is to be masked, in order; what overlaps is one match.

        `data[:start]` is context: it is not searched, though a rule may look back at it.
        """
        known = self._known
        found = [
            Match(at, at + len(needle), *known.origins[needle])
            for at, needle in known.needles.find(data, start)
        ]
        for rule in self._rules:
            found.extend(Match(*span, rule.name, PATTERN) for span in rule.find(data, start))
        return list(merge(found))

    def settled(self, data: bytes, matches: Sequence[Match], start: int = 0) -> int:
        """Return up to where `matches` are final, whatever bytes may follow `data`."""
        end = len(data) - self._known.needles.partial(data[start:])
        for rule in self._rules:
            end = min(end, rule.unfinished(data, start))
        for match in reversed(matches):
            if match.start < end < match.end:
                return match.start
        return end


def merge(matches: Iterable[Match]) -> Iterator[Match]:
    """Join overlapping matches, so that no end of one secret sticks out of another's mask."""
    group: list[Match] = []
    end = 0
    for match in sorted(matches):
        if group and match.start >= end:
            yield _union(group, end)
            group = []
        group.append(match)
        end = match.end if len(group) == 1 else max(end, match.end)
    if group:
        yield _union(group, end)


def _union(group: list[Match], end: int) -> Match:
    return max(group, key=lambda match: match.weight)._replace(start=group[0].start, end=end)


def token(name: str) -> bytes:
    """Return what stands in a secret's place."""
    return b"<SECRET:%s>" % name.encode()


def substitute(data: bytes, matches: Iterable[Match], start: int = 0) -> Masked:
    """Put masks in the place of matches that are in order and apart; leave out `data[:start]`."""
    pieces: list[bytes] = []
    masks: list[Mask] = []
    size, at = 0, start
    for match in matches:
        pieces += (data[at : match.start], token(match.name))
        size += match.start - at
        masks.append(Mask(size, match.name, match.encoding))
        size += len(pieces[-1])
        at = match.end
    return Masked(b"".join([*pieces, data[at:]]) if masks else data[start:], masks)


def clean_name(name: str) -> str:
    """Return a name of capitals, digits and underscores."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "VALUE"


def is_maskable(value: str) -> bool:
    """Tell whether masking a value everywhere would hide a secret rather than a common word."""
    return (
        len(value) >= LEAST_LENGTH
        and len(set(value)) >= LEAST_DISTINCT
        and value.lower() not in NOT_SECRET
        and not (value.isdecimal() and len(value) < LEAST_DIGITS)
    )
