"""What to build, as data: it is worked out in `detect` and `config`, and followed in `build`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec


class Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an image starts from; with nothing set, the default base is chosen."""

    image: str = ""
    """A reference, best one by digest: `python@sha256:…`."""
    dockerfile: str = ""
    """A Dockerfile's path in the tree, which is then the build's context."""


class Python(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of Python's packages a project needs."""

    project: bool = False
    """Whether the project itself can be installed: it has a `pyproject.toml` or a `setup.py`."""
    metadata: str = ""
    """The file that its own requirements are read from: `pyproject.toml`, `setup.py`, …"""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Names of `[dependency-groups]`."""
    files: tuple[str, ...] = ()
    """Requirements files, by their paths in the tree."""
    requirements: tuple[str, ...] = ()
    """More requirements, from elsewhere in the tree: tox, poetry, the configuration."""
    constraints: tuple[str, ...] = ()
    """What a lock in the tree says, as `name==version`; left out where it cannot be met."""
    runner: str = ""
    """The test runner's requirement, where the test command needs one: `pytest`."""
    requires: str = ""
    """The versions of Python that will do, as the project says: `>=3.8`."""


class Node(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A project of npm."""

    lock: str = "package-lock.json"


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that decides what is built, besides the source itself."""

    workspace: str
    """The absolute path of the workspace in the box (a container; a local one has its own)."""
    base: Base = Base()
    date: str = ""
    """The day, or second, as of which versions are chosen (RFC 3339); empty: now."""
    system: tuple[str, ...] = ()
    """Shell commands before anything else, as root, without the source."""
    setup: tuple[str, ...] = ()
    """Shell commands in the workspace, as root, in place of what would be worked out."""
    python: Python | None = None
    node: Node | None = None
    environment: Mapping[str, str] = {}
    """For every command in the box."""
    test: str = ""
    report: str = ""
    """The JUnit file that the test command writes, where it writes one."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The tree to build in."""

    folder: Path
    """The files, without `.git`; nothing in it is changed."""
    repository: Path | None = None
    """A clone that holds the commit; None: an unpacked archive, no repository in the box."""
    commit: str = ""
    """The full name of the commit that the box's repository ends at."""
    whole: bool = False
    """Whether the box's repository goes back to its beginning, not to the nearest tag."""
