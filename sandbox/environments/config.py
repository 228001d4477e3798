"""`traceproof.toml`: what a project says of its environment and tests, read and checked.

    image = "python@sha256:…"       # or dockerfile = "docker/test.Dockerfile"
    system = ["apt-get update && apt-get install -y libxml2"]
    setup = ["pip install -e ."]    # in place of what would be worked out
    test = "pytest -q"
    report = "build/junit.xml"
    date = 2024-05-01
    [env]
    LANG = "C.UTF-8"
    [python]
    extras = ["test"]
    groups = ["dev"]
    files = ["requirements/test.txt"]
    requirements = ["freezegun"]
    install = true
    version = ">=3.9"

`image`, `dockerfile`, `system` and `setup` are for the environment; nothing else is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from traceproof.sandbox.environments.untrusted import content, toml


class PythonConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of Python; None: it is worked out."""

    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None
    requirements: tuple[str, ...] = ()
    install: bool | None = None
    version: str = ""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says."""

    image: str = ""
    dockerfile: str = ""
    system: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    test: str = ""
    report: str = ""
    date: str = ""
    env: Mapping[str, str] = {}
    python: PythonConfig = PythonConfig()


def read(path: Path, *, needed: bool) -> Config:
    """Read the file; where it is not needed and not there, nothing is said.

    Raises:
        FileNotFoundError: it is needed and not there.
        ValueError: it is no TOML, or says something that is not known.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if needed:
            raise FileNotFoundError(f"there is no configuration {path}") from None
        return Config()
    return parse(text, path.name)


def of_tree(folder: Path, name: str) -> Config:
    """Read the file of a tree; where it is not there, or is a link out of it, nothing is said.

    Raises:
        ValueError: it is no TOML, or says something that is not known.
    """
    found = content(folder, name)
    return Config() if found is None else parse(found.decode("utf-8", "replace"), name)


def parse(text: str, name: str) -> Config:
    """Read the file's text.

    Raises:
        ValueError: it is no TOML, or says something that is not known.
    """
    values = toml(text.encode(), name)
    if isinstance(values.get("date"), dt.date):
        values["date"] = values["date"].isoformat()
    try:
        said = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
    if said.image and said.dockerfile:
        raise ValueError(f"{name} names an image and a Dockerfile: one of them is enough")
    if said.date and not _is_date(said.date):
        raise ValueError(f"{name}: date {said.date!r}: a day like 2020-01-31, or in ISO 8601")
    return said


def _is_date(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
