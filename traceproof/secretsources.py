"""Where the secret values of a recording are known from, before anything is recorded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from traceproof.recorder import secrets
from traceproof.recorder.git import Git, GitError
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.repository import RepositoryFacts
from traceproof.recorder.secrets import Secret
from traceproof.settings import Settings

_MOST = 1 << 20
"""Bytes of a credential file that are read."""

_SECONDS = 5.0
"""For git to answer."""

_READERS: dict[str, Callable[[str], list[Secret]]] = {
    ".json": secrets.from_credentials_json,
    ".yml": secrets.from_yaml,
}
"""By the file's ending; any other is read as a `.env` file."""


def new_redactor(settings: Settings) -> Redactor:
    """Return a redactor that knows the secrets of the environment, the agent's files and git."""
    redactor = Redactor(PATTERNS if settings.patterns else ())
    environment = settings.environment
    home = Path(environment.get("HOME") or settings.cwd)
    for secret in secrets.from_environment(environment):
        redactor.add(secret.name, secret.value)
    for path in settings.agent.credential_files(environment, home, settings.cwd):
        for secret in _in_file(path):
            redactor.add(secret.name, secret.value)
    for secret in _in_git(settings.cwd, environment):
        redactor.add(secret.name, secret.value)
    return redactor


def learn_untracked(redactor: Redactor, facts: RepositoryFacts) -> None:
    """Learn the secrets of `.env` files that are about to be stored with the working tree."""
    for file in facts.untracked:
        if PurePosixPath(file.path).name.startswith(".env"):
            for secret in secrets.from_dotenv(file.data.decode("utf-8", "replace")):
                redactor.add(secret.name, secret.value)


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
    read = _READERS.get(path.suffix, secrets.from_dotenv)
    yield from read(text)
