"""What a Python project declares that it needs, read from its files.

`pyproject.toml` is read here, older files in `older`, locks in `locked`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from traceproof.sandbox.environments import locked, older, poetry
from traceproof.sandbox.environments.config import Config
from traceproof.sandbox.environments.recipe import Python
from traceproof.sandbox.environments.untrusted import content, strings, table, toml

TEST_NAMES: Final = ("test", "tests", "testing")
DEV_NAMES: Final = ("dev", "develop", "development")


def python(folder: Path, said: Config) -> Python | None:
    """Return what a tree's Python project needs; None where it is none.

    Raises:
        ValueError: its `pyproject.toml` is no TOML.
    """
    pyproject = _pyproject(folder)
    files = older.requirements_files(folder)
    setup = older.setup(folder)
    is_project = bool(pyproject.get("project") or pyproject.get("build-system") or setup.there)
    is_project = is_project or bool(table(pyproject, "tool", "poetry"))
    asked = said.python
    if not (is_project or files or asked.requirements or asked.files or any(folder.glob("*.py"))):
        return None
    metadata = _metadata(pyproject, setup.metadata) if is_project else ""
    extras = wanted([*table(pyproject, "project", "optional-dependencies"), *setup.extras,
                     *table(pyproject, "tool", "poetry", "extras")])  # fmt: skip
    groups = wanted(table(pyproject, "dependency-groups"))
    return Python(
        project=is_project if asked.install is None else asked.install,
        metadata=metadata,
        extras=tuple(extras) if asked.extras is None else asked.extras,
        groups=tuple(groups) if asked.groups is None else asked.groups,
        files=tuple(files) if asked.files is None else asked.files,
        requirements=(*asked.requirements, *_elsewhere(folder, pyproject, setup)),
        constraints=tuple(locked.constraints(folder)),
        requires=asked.version or _requires(pyproject) or setup.requires,
    )


def wanted(names: Iterable[str]) -> list[str]:
    """Return those groups or extras that tests need: those named for tests, else for developing."""
    there = sorted(set(names))
    tests = [name for name in there if name.lower() in TEST_NAMES]
    return tests or [name for name in there if name.lower() in DEV_NAMES]


def _elsewhere(folder: Path, pyproject: Mapping[str, Any], setup: older.Setup) -> Iterable[str]:
    """Return requirements that only a tool of the project reads."""
    found = [*setup.tests, *older.tox(folder), *poetry.requirements(pyproject)]
    for place in (("tool", "pdm", "dev-dependencies"), ("tool", "hatch", "envs")):
        tables = table(pyproject, *place)
        for name in wanted(tables):
            listed = tables[name]
            found += strings(table(listed).get("dependencies", listed))
    uv = table(pyproject, "tool", "uv")
    return dict.fromkeys([*found, *strings(uv.get("dev-dependencies"))])


def _metadata(pyproject: Mapping[str, Any], otherwise: str) -> str:
    """Return the file that the project's own requirements are read from."""
    if pyproject.get("project") or table(pyproject, "tool", "poetry"):
        return "pyproject.toml"
    return otherwise or ("pyproject.toml" if pyproject.get("build-system") else "")


def _requires(pyproject: Mapping[str, Any]) -> str:
    said = table(pyproject, "project").get("requires-python", "")
    return str(said or table(pyproject, "tool", "poetry", "dependencies").get("python", ""))


def _pyproject(folder: Path) -> dict[str, Any]:
    data = content(folder, "pyproject.toml")
    return {} if data is None else toml(data, "pyproject.toml")
