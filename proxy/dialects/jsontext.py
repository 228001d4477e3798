"""JSON text to values: fast where it is sound, and forgiving where it is not.

What comes out can be encoded again by any encoder. It knows nothing of what the values mean.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

MAX_DEPTH = 128
"""JSON nested deeper is not decoded: its text is kept instead, and every encoder can take that."""

_MAX_DIGITS = 300
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes | str) -> Any:
    r"""Decode JSON into values that any encoder takes again.

    Beyond strict JSON it takes what a browser would: invalid UTF-8 and lone surrogates (`"\ud800"`)
    become U+FFFD. A number beyond what a float or a decimal of 300 digits holds becomes its text.

    Raises:
        ValueError: this is not JSON, or it is nested deeper than `MAX_DEPTH`.
    """
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        value = _decode_leniently(data)
    if isinstance(value, dict | list) and may_be_deep(data) and _depth_exceeds(value, MAX_DEPTH):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return value


def _decode_leniently(data: bytes | str) -> Any:
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_parse_float, parse_int=_parse_int
        )
        plain = json.dumps(value, ensure_ascii=False)
        return json.loads(_SURROGATES.sub("\ufffd", plain))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _parse_float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _parse_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def may_be_deep(data: bytes | str) -> bool:
    """Rule out deep nesting cheaply: few brackets cannot nest deeply."""
    if len(data) <= MAX_DEPTH:
        return False
    if isinstance(data, bytes):
        return data.count(b"[") + data.count(b"{") > MAX_DEPTH
    return data.count("[") + data.count("{") > MAX_DEPTH


def _depth_exceeds(value: Any, limit: int) -> bool:
    """Walk level by level, without recursion: what is deep must not overflow the one who looks."""
    level = [value]
    for _ in range(limit):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value
    return (child for child in inner if isinstance(child, dict | list))
