"""Poetry's own way of writing what developing needs, as requirements that every tool reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from traceproof.sandbox.environments.untrusted import strings, table

_GROUPS: Final = ("test", "tests", "testing", "dev", "develop", "development")


def requirements(pyproject: Mapping[str, Any]) -> list[str]:
    """Return what poetry's groups for tests name, else those for developing."""
    poetry = table(pyproject, "tool", "poetry")
    tables = {name: table(group, "dependencies") for name, group in table(poetry, "group").items()}
    tables.setdefault("dev", {}).update(table(poetry, "dev-dependencies"))
    found: list[str] = []
    for name in _GROUPS:
        found += (line for line in _lines(tables.get(name, {})) if line not in found)
    return found


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    for name, said in table.items():
        for each in said if isinstance(said, list) else [said]:
            if name != "python":
                yield from _line(name, each)


def _line(name: str, said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield f"{name}{specifier(said)}"
    elif isinstance(said, Mapping) and "git" in said:
        at = said.get("rev") or said.get("tag") or said.get("branch")
        yield f"{name} @ git+{said['git']}" + (f"@{at}" if at else "")
    elif isinstance(said, Mapping) and "version" in said:
        extras = f"[{','.join(strings(said['extras']))}]" if said.get("extras") else ""
        marker = f" ; {said['markers']}" if said.get("markers") else _for_python(said)
        yield f"{name}{extras}{specifier(str(said['version']))}{marker}"


def _for_python(said: Mapping[str, Any]) -> str:
    clauses = [specifier(part) for part in str(said.get("python", "")).split(",") if part.strip()]
    tests = re.findall(r"(>=|<=|==|!=|<|>)\s*([\d.]+)", ",".join(clauses))
    joined = " and ".join(f"python_version {sign} '{version}'" for sign, version in tests)
    return f" ; {joined}" if joined else ""


def specifier(version: str) -> str:
    """Return poetry's version constraint as a standard specifier: `^1.2` as `>=1.2,<2`."""
    return ",".join(filter(None, (_clause(part.strip()) for part in version.split(","))))


def _clause(part: str) -> str:
    if part in {"", "*"}:
        return ""
    numbers = part.lstrip("^~=<>! ")
    if part.startswith("^"):
        return f">={numbers},<{_next(numbers, _caret(numbers))}"
    if part.startswith("~") and not part.startswith("~="):
        return f">={numbers},<{_next(numbers, min(1, numbers.count('.')))}"
    return part if part[0] in "=<>!~" else f"=={part}"


def _caret(numbers: str) -> int:
    """Return which part of a version `^` lets grow: the first that is not nought."""
    parts = _parts(numbers)
    return next((i for i, part in enumerate(parts) if part), len(parts) - 1)


def _next(numbers: str, place: int) -> str:
    parts = _parts(numbers)[: place + 1]
    parts[-1] += 1
    return ".".join(map(str, parts))


def _parts(numbers: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", numbers)[:3]] or [0]
