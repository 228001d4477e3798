"""What a Python project declares in the older files: setup.cfg, setup.py, requirements, tox.ini.

`setup.py` is read as a syntax tree: what it computes is not seen here, but by uv, which runs it in
a container.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from traceproof.sandbox.environments.untrusted import table, text

_TESTING: Final = re.compile(r"test|dev", re.IGNORECASE)
_PLAIN: Final = "requirements.txt"
_FACTOR: Final = re.compile(r"^[\w.,{}!-]+:\s+(.*)$")


class Setup(NamedTuple):
    """What `setup.cfg` and `setup.py` say."""

    there: bool
    metadata: str
    """Which of them the requirements are read from."""
    extras: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    """`tests_require`."""
    requires: str = ""


def setup(folder: Path) -> Setup:
    """Read the two files."""
    config = _ini(folder, "setup.cfg")
    said = _setup_py(folder)
    has_py = (folder / "setup.py").is_file()
    if not has_py and not config.has_section("metadata"):
        return Setup(there=False, metadata="")
    extras: list[str] = []
    if config.has_section("options.extras_require"):
        extras = config.options("options.extras_require")
    extras += [name for name in table(said, "extras_require") if isinstance(name, str)]
    tests = config.get("options", "tests_require", fallback="").splitlines()
    tests += _listed(said.get("tests_require", []))
    requires = config.get("options", "python_requires", fallback="") or said.get("python_requires")
    return Setup(
        there=True,
        metadata="setup.py" if has_py else "setup.cfg",
        extras=tuple(dict.fromkeys(extras)),
        tests=tuple(filter(None, (line.strip() for line in tests))),
        requires=str(requires or ""),
    )


def requirements_files(folder: Path) -> list[str]:
    """Return the tree's requirements files that tests need, by their paths in it.

    Those named for tests or developing; and `requirements.txt`, which a project that is not
    installed has nothing else beside.
    """
    places = [*folder.glob("*requirements*.txt"), *folder.glob("requirements/*.txt")]
    names = sorted(path.relative_to(folder).as_posix() for path in places if path.is_file())
    tests = [name for name in names if "test" in name.lower()]
    developing = [name for name in names if _TESTING.search(name)]
    plain = [name for name in names if name in {_PLAIN, "requirements/base.txt"}]
    return [*plain, *(tests or developing)]


def tox(folder: Path) -> list[str]:
    """Return what tox installs for the tests, where that stands in the file as it is."""
    config = _ini(folder, "tox.ini")
    deps = config.get("testenv", "deps", fallback="").splitlines()
    return [line for line in (_dependency(line.strip()) for line in deps) if line]


def _dependency(line: str) -> str:
    """Return a line of tox's deps if it is a requirement for every environment."""
    plain = line.partition(" #")[0].strip()
    if not plain or plain.startswith(("#", "-", ".", "/", "{")) or _FACTOR.match(plain):
        return ""
    return "" if "{" in plain else plain


def _ini(folder: Path, name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text(folder, name) or "")
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def _listed(said: Any) -> list[str]:
    lines = said.splitlines() if isinstance(said, str) else said
    return [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []


def _setup_py(folder: Path) -> dict[str, Any]:
    """Return those arguments of `setup()` that are written out, or are names for what is."""
    try:
        return _arguments(ast.parse(text(folder, "setup.py") or ""))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _arguments(tree: ast.Module) -> dict[str, Any]:
    names = dict(_constants(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "setup":
            return {
                word.arg: value
                for word in node.keywords
                if word.arg and (value := _value(word.value, names)) is not None
            }
    return {}


def _constants(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = _value(node.value, {})
            if value is not None:
                yield node.targets[0].id, value


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Dict):
        keys = [_value(key, names) for key in node.keys if key is not None]
        return {key: _value(value, names) for key, value in zip(keys, node.values, strict=False)
                if isinstance(key, str)}  # fmt: skip
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
