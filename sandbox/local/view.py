"""What of this machine the commands in a box see: which folders are covered, and what of those not.

It looks at the image and the folders above it; nothing is mounted here.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import Image

_COVERED = ("/tmp", "/var/tmp", "/dev/shm", "/home", "/root", "/run", "/var/run")  # noqa: S108
_RESOLVER = Path("/etc/resolv.conf")
_LIBRARIES = ("lib", "lib64", "libexec")
_OTHERS_ENTER = 0o001
_HOPS = 40
"""As many links as Linux follows."""


class View(NamedTuple):
    """Folders to cover, and what to put back."""

    covers: tuple[str, ...]
    reveal: tuple[str, ...]


def of(image: Image, folder: Path, *, network: bool, another_user: bool) -> View:
    """Return what the commands in a box of an image see.

    Args:
        image: whose folder and interpreters stay to be seen.
        folder: the box's own, which is shown at another place.
        network: whether the names of hosts are to be found.
        another_user: whether `work` may enter less than we may.
    """
    needed = _outermost({image.id, *_programs(image), *([_resolver()] if network else [])})
    closed = _closed([*needed, str(folder)]) if another_user else []
    folders = {path for path in (*_COVERED, *_homes()) if not Path(path).is_symlink()}
    covers = _outermost({path for path in {*folders, *closed} if Path(path).is_dir()})
    return View(tuple(covers), tuple(path for path in needed if _is_below(path, covers)))


def check_open(paths: Iterable[str]) -> None:
    """See to it that others may enter the folders above some paths.

    Raises:
        SandboxError: one of them is closed.
    """
    for path in _closed(paths):
        raise SandboxError(
            f"{path} is closed to the user that tests run as: put the store and Python elsewhere, "
            f"or run as another user than root"
        )


def _programs(image: Image) -> Iterator[str]:
    """Yield the folders that hold what is on the image's PATH, interpreters' own ones too.

    Of what a project puts on the PATH by itself nothing is shown: it could name your keys' folder.
    """
    own = {*os.environ.get("PATH", "").split(":"), str(Path(sys.executable).parent)}
    for entry in filter(None, image.environment.get("PATH", "").split(":")):
        if entry not in own and not _is_below(entry, [image.id]):
            continue
        yield from _installed(Path(entry))
        for program in Path(entry).glob("python*"):
            for hop in _hops(program):
                yield from _installed(hop.parent)
                yield from _installed(hop.parent.resolve())


def _installed(programs: Path) -> Iterator[str]:
    """Yield what a folder of programs needs: all that was installed with it, or the least of it.

    `~/bin` is no reason to show a home folder, nor `~/.local/bin` one for what is in `~/.local`.
    """
    prefix = programs.parent
    homes = {Path(home) for home in _homes()}
    personal = {*homes, *(home / ".local" for home in homes)}
    personal |= {above for home in homes for above in home.parents}
    if _is_interpreters(prefix) and prefix not in personal:
        yield str(prefix)
        return
    yield str(programs)
    if programs.name in {"bin", "sbin"}:
        yield from (str(prefix / name) for name in _LIBRARIES)


def _is_interpreters(prefix: Path) -> bool:
    """Tell whether a Python, or a virtual environment, was installed there."""
    return (prefix / "pyvenv.cfg").exists() or any(prefix.glob("lib*/py*/os.py"))


def _hops(program: Path) -> Iterator[Path]:
    for _ in range(_HOPS):
        if not program.is_symlink():
            return
        program = Path(os.path.normpath(program.parent / program.readlink()))
        yield program


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out what is below another one, does not exist, or is the whole machine."""
    kept: list[str] = []
    for path in sorted(paths):
        if path not in {"", "/"} and Path(path).exists() and not _is_below(path, kept):
            kept.append(path)
    return kept


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _closed(paths: Iterable[str]) -> list[str]:
    """Return for each path the first folder above it that others may not enter."""
    found = []
    for path in paths:
        for folder in reversed(Path(path).parents):
            if not folder.stat().st_mode & _OTHERS_ENTER:
                found.append(str(folder))
                break
    return found


def _homes() -> Iterator[str]:
    yield str(Path.home())
    with suppress(KeyError):  # a user that no list knows
        yield pwd.getpwuid(os.geteuid()).pw_dir


def _resolver() -> str:
    return str(_RESOLVER.resolve())
