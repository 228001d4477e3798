"""Where the secret values of a recording are known from, before anything is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from traceproof.recorder import secrets
from traceproof.recorder.git import Git, GitError
from traceproof.recorder.mcp.rewrite import find, secrets_of
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.repository import RepositoryFacts
from traceproof.recorder.secret_arguments import from_arguments
from traceproof.recorder.secret_files import (
    Reader,
    from_credentials_json,
    from_dotenv,
    from_yaml,
    reader_for,
)
from traceproof.recorder.secret_tree import from_patch, from_tree
from traceproof.recorder.secrets import Secret
from traceproof.settings import Settings

_MOST = 1 << 20
"""Bytes of a credential file that are read."""

_MOST_OF_TREE = 200
"""Secrets of the working tree, and of what of it is stored: each slows masking a little."""

_SECONDS = 5.0
"""For git to answer."""

_BY_ENDING: dict[str, Reader] = {".json": from_credentials_json, ".yml": from_yaml}
"""How a credential file of any other name is read; else as a `.env` file."""


def new_redactor(settings: Settings) -> Redactor:
    """Return a redactor that knows the secrets of all that the agent is given, or may read."""
    redactor = Redactor(PATTERNS if settings.patterns else ())
    redactor.add_all(_sources(settings))
    return redactor


def _sources(settings: Settings) -> Iterator[Secret]:
    environment = settings.environment
    home = Path(environment.get("HOME") or settings.cwd)
    yield from secrets.from_environment(environment)
    yield from from_arguments(settings.command)
    for path in settings.agent.credential_files(environment, home, settings.cwd):
        yield from _in_file(path)
    yield from _in_git(settings.cwd, environment)
    found = find(settings.agent.name, settings.command, environment, settings.cwd)
    yield from secrets_of(found.servers)
    yield from islice(from_tree(_root(settings.cwd)), _MOST_OF_TREE)


def _root(folder: Path) -> Path:
    """Return the repository that a folder is in, else the folder."""
    return next((at for at in (folder, *folder.parents) if (at / ".git").exists()), folder)


def learn_untracked(redactor: Redactor, facts: RepositoryFacts) -> None:
    """Learn the secrets of credential files that are about to be stored, in patch or whole."""
    found = chain(from_patch(facts.patch), _in_untracked(facts))
    redactor.add_all(islice(found, _MOST_OF_TREE))


def _in_untracked(facts: RepositoryFacts) -> Iterator[Secret]:
    for file in facts.untracked:
        if reader := reader_for(file.path):
            yield from reader(file.data.decode("utf-8", "replace"))


def _in_git(folder: Path, environment: Mapping[str, str]) -> list[Secret]:
    """Find the secrets that git would show to an agent; where it says nothing, there are none."""
    try:
        printed = Git(folder, environment, _SECONDS).run("config", "-z", "--list")
    except GitError:
        return []
    settings = os.fsdecode(printed).split("\0")
    return secrets.from_git_config(setting.partition("\n")[::2] for setting in settings)


def _in_file(path: Path) -> Iterator[Secret]:
    """Find the secrets of one file; one that is not there, or not ours to read, has none for us."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return
    reader = reader_for(path.name) or _BY_ENDING.get(path.suffix, from_dotenv)
    yield from reader(text)
