"""JSON that people read too: indented, and whole even where a text is no Unicode.

Such texts are paths and arguments that were not UTF-8; Python has them with lone surrogates.
"""

from __future__ import annotations

from typing import Any

import msgspec


def encode(value: Any) -> bytes:
    """Return a value as JSON; lone surrogates in it are replaced by question marks."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_whole(msgspec.to_builtins(value)))
    return msgspec.json.format(data, indent=2) + b"\n"


def _whole(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_whole(key): _whole(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_whole(inner) for inner in value]
        case _:
            return value
