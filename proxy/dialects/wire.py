"""Reading values from strangers: any may be of any type, and nothing here raises.

It knows no provider. The dialects use it to look before they touch, and to keep what they have no
name for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from traceproof.proxy.dialects.base import ChatResponse, ModelError
from traceproof.recorder.messages import Part, generic

_MAX_INT = (1 << 63) - 1
_BRIEF = 60
_EXCERPT = 2000
_PROBLEMS = 64


def record(value: Any) -> dict[str, Any]:
    """Return an object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def section(value: Any, name: str, notes: Notes) -> dict[str, Any]:
    """Return an object as it is, and an empty one for anything else, which is noted."""
    if not isinstance(value, dict | None):
        notes.add(f"{name} is a {type(value).__name__}")
    return record(value)


def items(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return text as it is, and none for anything else."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """Return a count that OTLP can carry, else None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INT:
        return value
    return None


def brief(value: Any) -> str:
    """Describe a value from the wire within a one-line note: short, and printable."""
    if isinstance(value, str):
        return ascii(value if len(value) <= _BRIEF else value[:_BRIEF] + "…")
    return type(value).__name__


def label(value: Any) -> str:
    """Return a name or a sentence from the wire as text: a number as its digits, null as none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def named(value: Mapping[str, Any], key: str, notes: Notes) -> str:
    """Return the text under a key, or none; a value of another type is noted."""
    found = value.get(key)
    if not isinstance(found, str | None):
        notes.add(f"{key} is a {brief(found)}")
    return text(found)


def counts(value: Mapping[str, Any], keys: Collection[str], notes: Notes) -> dict[str, int | None]:
    """Return the counts under some keys; what is there and is no count is noted."""
    found = {key: count(value.get(key)) for key in keys}
    for key in keys:
        if found[key] is None and value.get(key) is not None:
            notes.add(f"{key} is not a count")
    return found


def total(numbers: Collection[int | None]) -> int | None:
    """Add counts up; one that is unknown makes the sum unknown."""
    known = [number for number in numbers if number is not None]
    return count(sum(known)) if len(known) == len(numbers) else None


def leftovers(value: Mapping[str, Any], known: Collection[str]) -> list[Part]:
    """Return what a translation has not used as parts of their own, under their keys' names."""
    return [generic(key, item) for key, item in rest(value, known).items()]


def failed(value: Mapping[str, Any], error: Any) -> ChatResponse:
    """Report an error of whatever shape: an object with a type and a message, or a sentence.

    What else the error says goes to `extra["error"]`, what else the object around it to `extra`.
    """
    extra = rest(value, ("type", "error"))
    if not isinstance(error, dict):
        return ChatResponse(error=ModelError("", label(error)), extra=extra)
    more = rest(error, ("type", "message"))
    if more:
        extra["error"] = more
    reported = ModelError(label(error.get("type")), label(error.get("message")))
    return ChatResponse(error=reported, extra=extra)


def unreadable(body: bytes) -> ChatResponse:
    """Report a body that is not JSON: empty, cut short, or a gateway's HTML page."""
    if not body:
        return ChatResponse(complete=False, problems=["the body is empty"])
    excerpt = body[:_EXCERPT].decode("utf-8", "replace")
    return ChatResponse(
        complete=False,
        unknown=[excerpt],
        problems=[f"the body is not JSON ({len(body)} bytes)"],
    )


def rest(value: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return what a translation has not used: nulls and cache_control are not facts."""
    return {
        key: item
        for key, item in value.items()
        if item is not None and key not in known and key != "cache_control"
    }


def nonzero(value: Any) -> Any:
    """Return counts of a kind without those that are zero: they say nothing."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item not in (0, None)}
    return value


def extended(part: Part, value: Mapping[str, Any], known: Collection[str]) -> Part:
    """Add to a part what its block says beyond the `known`; where names clash, under `extra`."""
    more = rest(value, known)
    clash = {key: more.pop(key) for key in list(more) if key in part or key == "extra"}
    part.update(more)
    if clash:
        part["extra"] = {**part.get("extra", {}), **clash}
    return part


class Notes:
    """One-line notes on what was odd, each once with how often; a flood of kinds is summed up."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, note: str, times: int = 1) -> None:
        """Take a note."""
        if note not in self._counts and len(self._counts) >= _PROBLEMS:
            note = "further problems"
        self._counts[note] = self._counts.get(note, 0) + times

    def take(self, others: Notes) -> None:
        """Take the notes on a part, which keep standing there too."""
        for note, times in others._counts.items():
            self.add(note, times)

    def lines(self) -> list[str]:
        """Return the notes in the order they were first taken."""
        return [
            note if times == 1 else f"{note} ({times} times)"
            for note, times in self._counts.items()
        ]
