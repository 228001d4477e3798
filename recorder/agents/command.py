"""Which program a command line really starts: through `env`, `npx`, `uvx`, `python -m`, symlinks.

Nothing is run. Shell command strings (`sh -c "…"`) are not looked into.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    """A word of a command line that names a program, and where that program was found."""

    word: str
    path: Path | None


class _Wrapper(NamedTuple):
    """How a program that runs another one takes its arguments.

    `verbs` are the sub-commands with which it does (none: it always does), `valued` its options
    that take a value, `naming` those whose value is a package to run, `skip` the positional
    arguments before the command.
    """

    verbs: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    naming: tuple[str, ...] = ()
    skip: int = 0


_UV = ("--with", "--python", "-p", "--index-url", "--directory", "--project", "--env-file")
_WRAPPERS = {
    "env": _Wrapper(valued=("-u", "--unset", "-C", "--chdir")),
    "nice": _Wrapper(valued=("-n", "--adjustment")),
    "timeout": _Wrapper(valued=("-s", "--signal", "-k", "--kill-after"), skip=1),
    "stdbuf": _Wrapper(valued=("-i", "-o", "-e")),
    "nohup": _Wrapper(),
    "setsid": _Wrapper(),
    "time": _Wrapper(valued=("-f", "-o")),
    "npx": _Wrapper(naming=("-p", "--package")),
    "bunx": _Wrapper(naming=("-p", "--package")),
    "npm": _Wrapper(verbs=("exec", "x"), naming=("-p", "--package")),
    "pnpm": _Wrapper(verbs=("dlx", "exec"), naming=("--package",)),
    "yarn": _Wrapper(verbs=("dlx", "exec"), naming=("-p", "--package")),
    "uvx": _Wrapper(valued=_UV, naming=("--from",)),
    "uv": _Wrapper(verbs=("run", "tool"), valued=_UV, naming=("--from",)),
    "pipx": _Wrapper(verbs=("run",), valued=("--python",), naming=("--spec",)),
    "poetry": _Wrapper(verbs=("run",)),
    "python": _Wrapper(valued=("-W", "-X")),
    "node": _Wrapper(valued=("-r", "--require", "--import")),
    "bun": _Wrapper(),
}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_VERSIONED_PYTHON = re.compile(r"python[\d.]+$")
_REQUIREMENT_END = re.compile(r"(?<=.)[@=<>!~\[].*", re.DOTALL)
_EXTENSIONS = (".exe", ".cmd", ".cjs", ".mjs", ".js", ".py")


def programs(argv: Sequence[str], env: Mapping[str, str] | None = None) -> list[Program]:
    """Return the programs a command line names: wrappers and packages first, the last one last.

    Args:
        argv: The command line.
        env: Where `PATH` is looked up; our own environment by default.
    """
    search = None if env is None else env.get("PATH", "")
    return [Program(word, _find(word, search)) for word in _words(list(argv))]


def position(argv: Sequence[str]) -> int:
    """Return where in a command line the program stands that its wrappers start."""
    at = -1
    for word in _words(list(argv)):
        at = argv.index(word, at + 1) if word in argv[at + 1 :] else at
    return max(at, 0)


def names(program: Program) -> set[str]:
    """Return every name a program goes by: as typed, its package, what its symlinks lead to."""
    found = {_plain(program.word), _REQUIREMENT_END.sub("", program.word)}
    if program.path is not None:
        found |= _names_of_file(program.path.resolve())
    return found


def _names_of_file(path: Path) -> set[str]:
    """Name an installed file: itself, the npm package around it, the folder of its versions."""
    found = {_plain(path.name)}
    parts = path.parts
    if "node_modules" in parts:
        at = len(parts) - parts[::-1].index("node_modules")
        found.add("/".join(parts[at : at + 2]))
    if path.parent.name == "versions":
        found.add(path.parent.parent.name)
    return found


def _words(words: list[str]) -> Iterator[str]:
    while words:
        yield words[0]
        wrapper = _WRAPPERS.get(_VERSIONED_PYTHON.sub("python", _plain(words[0])))
        if wrapper is None:
            return
        packages, words = _unwrap(wrapper, words[1:])
        yield from packages


def _unwrap(wrapper: _Wrapper, words: list[str]) -> tuple[list[str], list[str]]:
    """Split a wrapper's arguments into the packages they name and the command they run."""
    packages: list[str] = []
    verbs, skip = wrapper.verbs, wrapper.skip
    while words:
        word, _, value = words[0].partition("=")
        if word == "-c":
            break  # a command string, not a command
        if word in wrapper.naming:
            packages.append(value or "".join(words[1:2]))
        if word.startswith("-"):
            words = words[1 + (word in wrapper.valued + wrapper.naming and not value) :]
        elif _ASSIGNMENT.match(words[0]):
            words = words[1:]
        elif verbs:
            if word not in verbs:
                break
            # `uv tool run aider` has two
            verbs, words = (("run",) if word == "tool" else ()), words[1:]
        elif skip:
            skip, words = skip - 1, words[1:]
        else:
            return packages, words
    return packages, []


def _find(word: str, search: str | None) -> Path | None:
    found = shutil.which(word, path=search)
    return None if found is None else Path(found)


def _plain(word: str) -> str:
    """Return a command's base name without an extension that says what kind of file it is."""
    name = word.rsplit("/", 1)[-1]
    for extension in _EXTENSIONS:
        name = name.removesuffix(extension)
    return name
