"""What builds remember on this machine, one builder at a time for a key, and what a crash left."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from traceproof.sandbox import owner

T = TypeVar("T")
FORMAT = 1
"""Part of every key: raised when the steps of a build change."""


def folder() -> Path:
    """Return where builds keep what they know: `$XDG_CACHE_HOME/traceproof`, made if need be."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(home, "traceproof", "environments")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def key(*parts: object) -> str:
    """Return a key for everything that matters."""
    text = msgspec.json.encode([FORMAT, *parts], order="sorted")
    return hashlib.sha256(text).hexdigest()


def recall(path: Path, kind: type[T]) -> T | None:
    """Return what was remembered; what cannot be read is forgotten."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def remember(path: Path, what: object) -> None:
    """Write something down, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_bytes(msgspec.json.encode(what))
    beside.replace(path)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process builds the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder for a while; `prune` finds it if this process is killed."""
    path = folder() / "scratch" / f"{owner.me()}-{secrets.token_hex(4)}"
    path.mkdir(mode=0o700, parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def prune(*, everything: bool = False) -> list[Path]:
    """Remove what killed builds have left here, and return the paths.

    Args:
        everything: remove all that is kept, too: environments of the local backend, and what was
            worked out for all. What is being built now is left.
    """
    removed = [path for path in (folder() / "scratch").glob("*") if _abandoned(path)]
    local = [path for path in (folder() / "local").glob("*") if (path / "workspace").exists()]
    removed += [path for path in local if _removable(path, everything=everything)]
    if everything:
        removed += [folder() / "resolutions", folder() / "local" / "uv"]
    removed = [path for path in removed if path.exists()]
    for path in removed:
        shutil.rmtree(path)
    return removed


def _abandoned(path: Path) -> bool:
    """Say whether the process that a scratch folder is named for has ended."""
    try:
        return owner.gone(owner.parse(path.name.rpartition("-")[0])) is True
    except ValueError:
        return False


def _removable(path: Path, *, everything: bool) -> bool:
    """Say whether an environment's folder may go, and nobody is building it."""
    if (path / "lock.json").exists() and not everything:
        return False
    with path.with_name(f"{path.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
