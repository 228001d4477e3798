"""What `traceproof verify` was asked for: stored with the runs, so that one can be run again.

Data alone; the defaults are those of the command line.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Literal

import msgspec

from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.task import Type
from traceproof.replay.options import AXES
from traceproof.replay.runs import Axis
from traceproof.sandbox.protocol import GIB
from traceproof.verifying.clones import is_url

SandboxName = Literal["auto", "docker", "local"]


class About(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which subject is meant; paths are absolute."""

    trace: str = ""
    repo: str = ""
    """A URL or folder; with a trace, a repository that has its commit."""
    commit: str = ""
    patch: str = ""
    tests: str = ""
    """The test command; empty: the trace's or the configuration's."""
    tests_from: str = "final"
    task_type: Type | None = None
    as_of: str = ""
    """An ISO 8601 day or moment; empty: when the base was made."""


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the tests run."""

    sandbox: SandboxName = "auto"
    image: str = ""
    dockerfile: str = ""
    memory: int = 4 * GIB
    cpus: float = 1.0
    timeout: float = 1800.0
    """Seconds that one session of the tests may take."""


class Effort(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much is done."""

    runs: int = 0
    time: float = 0.0
    max_flake_rate: float = 0.05
    confidence: float = 0.95
    axes: tuple[Axis, ...] = AXES
    seed: int = 0
    network: bool = False
    jobs: int = 0
    """How many boxes at a time; 0: as many as there are cores."""
    replay: bool = True
    """Whether a trace's recorded steps are replayed as well."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it."""

    about: About
    place: Place = Place()
    effort: Effort = Effort()


def stored(asked: Asked, commit: str) -> Asked:
    """Return what is kept of what was asked for: without credentials, and for good.

    Args:
        asked: as it was given.
        commit: the full name of the commit that `about.commit` stands for; empty: none.
    """
    about = asked.about
    repo = clean_url(about.repo) if is_url(about.repo) else about.repo
    kept = msgspec.structs.replace(
        about, repo=repo, commit=commit if about.commit and commit else about.commit
    )
    return msgspec.structs.replace(asked, about=kept)


def moment_of(text: str) -> datetime:
    """Read a day, whose end is meant, or a moment.

    Raises:
        ValueError: it is neither.
    """
    try:
        if len(text) == len("2020-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--as-of {text!r}: a day like 2020-01-31, or a moment in ISO 8601"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
