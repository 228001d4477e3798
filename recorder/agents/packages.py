"""The version of an installed program, as the files around it say it. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from traceproof.recorder.agents import command


class _Package(msgspec.Struct):
    """What a package.json says of itself."""

    name: str = ""
    version: str = ""


def npm_version(path: Path, package: str) -> str | None:
    """Return the version of the npm package that a file is in, if its name begins like that."""
    folders = list(path.parents)[:3]
    found = (_package(folder / "package.json") for folder in folders)
    return next((each.version for each in found if each.name.startswith(package)), None)


def distribution_version(
    argv: Sequence[str], env: Mapping[str, str], distribution: str
) -> str | None:
    """Return the version of a Python distribution beside the program, by its folder's name.

    Args:
        argv: The command line.
        env: Where `PATH` is looked up.
        distribution: Its name with underscores, as folders have it.
    """
    version = re.compile(re.escape(distribution) + r"-(.+)\.dist-info")
    for program in reversed(command.programs(argv, env)):
        for prefix in _prefixes(program.path):
            for entry in prefix.glob(f"lib/python3*/site-packages/{distribution}-*.dist-info"):
                found = version.fullmatch(entry.name)
                if found:
                    return found[1]
    return None


def _prefixes(path: Path | None) -> Iterator[Path]:
    """Yield where a program is installed: `bin`'s parent, before and after symlinks."""
    if path is not None:
        yield from dict.fromkeys((path.parent.parent, path.resolve().parent.parent))


def _package(file: Path) -> _Package:
    """Read a package.json; one that is absent or broken says nothing."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Package)
    except (OSError, msgspec.DecodeError):
        return _Package()
