"""A function call whose arguments Vertex AI streams in pieces (`partialArgs`), put together.

Each piece names its place among the arguments by a JSON path. A piece that cannot be placed is kept
as it came, beside the arguments.

Source: `FunctionCall` and `PartialArg` of the Vertex AI API, v1.
"""

from __future__ import annotations

import re
from typing import Any

from traceproof.proxy.dialects.jsontext import MAX_DEPTH

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")
_VALUES = ("stringValue", "numberValue", "boolValue")


class GrowingCall:
    """A call that goes on in the parts after it, until one says that it does not."""

    def __init__(self) -> None:
        self.goes_on = True
        self._part: dict[str, Any] = {}
        self._call: dict[str, Any] = {}
        self._args: dict[str, Any] = {}
        self._unplaced: list[Any] = []
        self._growing: dict[tuple[str | int, ...], list[str]] = {}
        """The pieces of texts that go on, by their place; joined at the end."""

    def add(self, part: dict[str, Any]) -> list[tuple[str, str]]:
        """Take a part; return the paths of texts that grow, and what it adds to each."""
        call = part["functionCall"]
        self.goes_on = call.get("willContinue") is True
        self._part.update(part)
        beside = {"partialArgs", "willContinue", "args"}
        self._call.update({key: value for key, value in call.items() if key not in beside})
        if isinstance(call.get("args"), dict):
            self._args.update(call["args"])
            for place in [place for place in self._growing if place[0] in call["args"]]:
                del self._growing[place]
        pieces = call.get("partialArgs")
        added = [self._place(piece) for piece in (pieces if isinstance(pieces, list) else ())]
        return [each for each in added if each]

    def value(self) -> dict[str, Any]:
        """Return the part as it would stand in an answer that was not streamed."""
        for steps in list(self._growing):
            self._join(steps)
        left = {"partialArgs": self._unplaced} if self._unplaced else {}
        return {**self._part, "functionCall": {**self._call, "args": self._args, **left}}

    def _place(self, piece: Any) -> tuple[str, str] | None:
        path = piece.get("jsonPath") if isinstance(piece, dict) else None
        steps = _steps(path) if isinstance(path, str) else []
        held = _holder(self._args, steps) if steps else None
        if held is None or not isinstance(path, str):
            self._unplaced.append(piece)
            return None
        holder, key = held
        place = tuple(steps)
        value = next((piece[name] for name in _VALUES if name in piece), None)
        if not isinstance(value, str):
            self._growing.pop(place, None)
            holder[key] = value
            return None
        if place not in self._growing:
            holder[key] = ""
        self._growing.setdefault(place, []).append(value)
        if piece.get("willContinue") is not True:
            self._join(place)
            del self._growing[place]
        return path, value

    def _join(self, place: tuple[str | int, ...]) -> None:
        """Put a text's pieces where they belong."""
        pieces = self._growing[place]
        pieces[:] = ["".join(pieces)]
        held = _holder(self._args, list(place))
        if held is not None:
            holder, key = held
            holder[key] = pieces[0]


def continues(part: dict[str, Any], last: object) -> bool:
    """Tell whether a part belongs to a call that grows: it begins one, or goes on with the last."""
    call = part.get("functionCall")
    if not isinstance(call, dict):
        return False
    if isinstance(last, GrowingCall) and last.goes_on and not call.get("name"):
        return True
    return call.get("willContinue") is True or "partialArgs" in call


def _steps(path: str) -> list[str | int]:
    """Read a path such as `$.foo.bar[0]`; empty where it is of another kind, or too deep."""
    steps: list[str | int] = []
    at = 1
    while path.startswith("$") and at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            return []
        name, number, *quoted = found.groups()
        steps.append(int(number) if number else name or quoted[0] or quoted[1] or "")
        at = found.end()
    return steps if len(steps) < MAX_DEPTH else []


def _holder(args: dict[str, Any], steps: list[str | int]) -> tuple[Any, Any] | None:
    """Return what holds the value at a path, and its key there; None where there is no place."""
    holder: Any = args
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = None if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(holder, list) or step > len(holder):
                return None
            if step == len(holder):
                holder.append(empty)
        elif isinstance(holder, dict):
            holder.setdefault(step, empty)
        else:
            return None
        if following is None:
            return holder, step
        holder = holder[step]
    return None
