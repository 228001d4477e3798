"""Reading what a tree says of itself: files that are in it, and values of the kind that is meant.

A tree is somebody else's: a file in it may be a link to one of this machine's, or never end, and a
table may be a number. What cannot be read says nothing here; whether that will do is the caller's
business.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_MOST: Final = 32 << 20
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def content(folder: Path, name: str) -> bytes | None:
    """Return a file's content; None where there is no such file in the tree, or one over 32 MiB.

    Args:
        folder: the tree, which nobody changes meanwhile.
        name: the file's path in it; a link is followed as long as it stays inside.
    """
    top = folder.resolve()
    try:
        real = (top / name).resolve(strict=True)
        if not real.is_relative_to(top):
            return None
        with os.fdopen(os.open(real, _FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            fits = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST
            return file.read(_MOST) if fits else None
    except (OSError, RuntimeError, ValueError):  # links in a circle; a NUL in the name
        return None


def text(folder: Path, name: str) -> str | None:
    """Return a file's text; what is no UTF-8 in it is replaced."""
    found = content(folder, name)
    return None if found is None else found.decode("utf-8", "replace")


def toml(data: bytes, name: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        ValueError: it is none.
    """
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} is no TOML: {error}") from error
    except RecursionError:
        raise ValueError(f"{name} is no TOML that can be read: it is too deep") from None


def table(values: object, *path: str) -> dict[str, Any]:
    """Return the table at a path; an empty one where there is something else, or nothing."""
    found = values
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def strings(value: object) -> list[str]:
    """Return the strings of a list; none where it is something else."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
