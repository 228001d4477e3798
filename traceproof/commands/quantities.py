"""Times, sizes and lists as they are given on a command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_Name = TypeVar("_Name", bound=str)


def seconds(text: str, option: str, least: float = 0) -> float:
    """Read a time: `90`, `90s`, `10m`, `2h`.

    Raises:
        ValueError: it is none, or too short.
    """
    found = _NUMBER.fullmatch(text.strip())
    unit = found[2].lower() if found else "?"
    if not found or unit not in _SECONDS:
        raise ValueError(f"{option} {text!r}: a time like 90s, 10m or 2h")
    value = float(found[1]) * _SECONDS[unit]
    if value < least:
        raise ValueError(f"{option} {text!r}: {least:g} s is the least")
    return value


def size(text: str, option: str, least: int = 0) -> int:
    """Read a size: `512m`, `4g`.

    Raises:
        ValueError: it is none, or too small.
    """
    found = _NUMBER.fullmatch(text.strip())
    unit = found[2].lower().removesuffix("ib") if found else "?"
    unit = unit if unit == "b" else unit.removesuffix("b")
    if not found or unit not in _BYTES:
        raise ValueError(f"{option} {text!r}: a size like 512m or 4g")
    value = int(float(found[1]) * _BYTES[unit])
    if value < least:
        raise ValueError(f"{option} {text!r}: {least >> 20}m is the least")
    return value


def some_of(text: str, known: Sequence[_Name], option: str) -> tuple[_Name, ...]:
    """Read names separated by commas; `all` and `none` are what they say.

    Raises:
        ValueError: one of them is not known.
    """
    if text in ("all", "none"):
        return tuple(known) if text == "all" else ()
    wanted = [name.strip().replace("-", "_") for name in text.split(",")]
    for name in wanted:
        if name not in known:
            raise ValueError(f"{option} {name!r}: known are all, none, {', '.join(known)}")
    return tuple(name for name in known if name in wanted)
