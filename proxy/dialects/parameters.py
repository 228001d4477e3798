"""A request's parameters as span attributes: conventional names where there are any, else ours.

Shared by the dialects; each brings its table of names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from traceproof.recorder.span import Attributes, AttributeValue

PREFIX = "traceproof.request."
"""Ours: `traceproof.request.thinking` and whatever else a request says; JSON text if structured."""

Reader: TypeAlias = Callable[[Any], "AttributeValue | None"]
"""Reads a value of the type it expects; None for any other."""

_MAX_INT = (1 << 63) - 1


def string(value: Any) -> str | None:
    """Read text."""
    return clean(value) if isinstance(value, str) else None


def boolean(value: Any) -> bool | None:
    """Read true or false."""
    return value if isinstance(value, bool) else None


def integer(value: Any) -> int | None:
    """Read a number of 64 bits."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and -_MAX_INT <= value <= _MAX_INT else None


def number(value: Any) -> float | None:
    """Read a finite number, as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _MAX_INT else None


def strings(value: Any) -> list[str] | None:
    """Read a list of text, or a text alone as such a list."""
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and all(isinstance(item, str) for item in values):
        return [clean(item) for item in values]
    return None


def attributes(
    head: Mapping[str, Any], names: Mapping[str, tuple[str, Reader]], *, skip: str = ""
) -> Attributes:
    """Name each parameter by the table where its value is of the type expected, else as ours."""
    found: Attributes = {}
    for key, value in head.items():
        if value is None or key == skip:
            continue
        name, reader = names.get(key, ("", plain))
        read = reader(value)
        if read is None or not name or name in found:
            found[clean(PREFIX + key)] = plain(value)
        else:
            found[name] = read
    return found


def plain(value: Any) -> AttributeValue:
    """Turn any value into an attribute's: scalars as they are, anything else as JSON text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool) or integer(value) is not None:
        return value  # type: ignore[no-any-return]
    if isinstance(value, float) and math.isfinite(value):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return clean(f"not JSON: {type(value).__name__}")


def clean(value: str) -> str:
    """Replace lone surrogates, which no encoder takes."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
