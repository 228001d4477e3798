"""The environments of a subject's trees, and the command that runs its tests in them.

What an agent wrote into a `traceproof.toml` does not decide how its own work is judged: the file
counts that lies beside the trace, else the base tree's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.replay.runs import Tree
from traceproof.replay.testcommand import TestCommand, from_option
from traceproof.sandbox.environments import config
from traceproof.sandbox.environments.build import build
from traceproof.sandbox.environments.detect import CONFIG, recipe_for
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.lock import Lock
from traceproof.sandbox.environments.recipe import Recipe, Source
from traceproof.sandbox.protocol import Sandbox
from traceproof.verifying.asked import Place
from traceproof.verifying.gathering import Folders
from traceproof.verifying.subject import Subject


class How(NamedTuple):
    """What environments are built by."""

    place: Place
    configured: Path
    """A `traceproof.toml`."""
    command: TestCommand
    lock: Lock | None = None
    """An earlier environment's, for the same packages."""


def configuration(subject: Subject, folders: Folders, scratch: Path) -> Path:
    """Return the configuration that counts; an empty one where there is none.

    Args:
        subject: what is verified.
        folders: its trees.
        scratch: a folder for the empty one.
    """
    beside = Path(subject.origin.trace).parent / CONFIG if subject.origin.trace else None
    if beside is not None and beside.is_file():
        return beside
    own = (folders.base or folders.final) / CONFIG
    if own.is_file() and not own.is_symlink():
        return own
    empty = scratch / CONFIG
    empty.touch()
    return empty


def command_of(subject: Subject, configured: Path) -> TestCommand:
    """Return the command that runs the tests: the option's, the configuration's, the trace's.

    Raises:
        ValueError: none of them says it.
    """
    if subject.tests is not None and subject.tests_given:
        return subject.tests
    said = config.read(configured, needed=True).test
    if said:
        return from_option(said)
    if subject.tests is None:
        what = "the trace ran no tests" if subject.origin.trace else "nothing says how"
        raise ValueError(
            f"which command runs the tests? {what}: give --tests 'pytest -q', for instance, or "
            f"`test = …` in {CONFIG}"
        )
    return subject.tests


def build_all(
    sandbox: Sandbox,
    subject: Subject,
    folders: Mapping[Tree, Path],
    how: How,
    say: Callable[[str], None],
) -> dict[Tree, Environment]:
    """Build an environment for each of some trees, or find it built.

    Raises:
        ValueError: the configuration is wrong, or what is needed cannot be worked out.
        SandboxError: it cannot be built.
    """
    return {
        tree: build(
            sandbox,
            _recipe(folder, subject, how),
            Source(folder=folder, repository=subject.clone, commit=subject.origin.commit),
            lock=how.lock,
            on_progress=say,
        )
        for tree, folder in folders.items()
    }


def _recipe(folder: Path, subject: Subject, how: How) -> Recipe:
    date = subject.date.isoformat()
    recipe = recipe_for(
        folder,
        subject.workspace,
        image=how.place.image,
        dockerfile=how.place.dockerfile,
        config_file=how.configured,
        date=date,
        test_command=str(how.command),
    )
    return msgspec.structs.replace(recipe, date=date) if subject.date_given else recipe
