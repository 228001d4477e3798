"""Locks that a tree brings: their versions, to be kept where they can be met."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

import msgspec

from traceproof.sandbox.environments.untrusted import content, table, toml

_TOML: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")


def constraints(folder: Path) -> list[str]:
    """Return what the first lock of a tree says, as `name==version`; in two versions: left out.

    A lock that cannot be read says nothing: it only narrows what is resolved anyway.
    """
    for name in _TOML:
        data = content(folder, name)
        if data is not None:
            return _constraints(_of_toml(data, name))
    data = content(folder, "Pipfile.lock")
    return [] if data is None else _constraints(_of_pipfile(data))


def _constraints(versions: dict[str, set[str]]) -> list[str]:
    return sorted(f"{name}=={one}" for name, (one, *more) in _lists(versions) if not more)


def _lists(versions: dict[str, set[str]]) -> list[tuple[str, list[str]]]:
    return [(name, sorted(found)) for name, found in versions.items()]


def _of_toml(data: bytes, name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    try:
        values = toml(data, name)
    except ValueError:
        return found
    for key in ("package", "packages"):
        listed = values.get(key)
        for package in map(table, listed if isinstance(listed, list) else ()):
            local = {"editable", "virtual", "directory"} & table(package, "source").keys()
            called, version = package.get("name"), package.get("version")
            if called and version and not local:
                found[str(called)].add(str(version))
    return found


def _of_pipfile(data: bytes) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    try:
        values = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return found
    for part in ("default", "develop"):
        for name, entry in table(values, part).items():
            version = str(table(entry).get("version", ""))
            if version.startswith("=="):
                found[name].add(version.removeprefix("=="))
    return found
