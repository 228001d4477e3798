"""What a verification is asked to do, and how long that will be.

Data alone; `traceproof.replay.verification` goes by it.
"""

from __future__ import annotations

import msgspec

from traceproof.replay.runs import Axis
from traceproof.replay.verdict import TaskType

AXES: tuple[Axis, ...] = (
    "order", "alone", "twice", "hash_seed", "clock", "timezone", "locale", "file_order",
    "network", "threads", "slow_cpu", "load",
)  # fmt: skip
"""In this order. `network` only where it is allowed."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and what the planner must know of the subject."""

    seed: int = 0
    """Every run's id and seed follows from it and from what earlier runs gave."""
    max_flake_rate: float = 0.05
    confidence: float = 0.95
    runs: int = 0
    """Identical reruns of the final tree, the control among them; 0: what the bound needs."""
    seconds: float = 0.0
    """How long it may take; 0: as long as it takes."""
    task: TaskType = "repair"
    base: bool = True
    """Whether there is a base tree."""
    undone: bool = False
    """Whether tests were changed on the way: both trees are then run by those of the beginning as
    well, to see what was done to them."""
    written: tuple[str, ...] = ()
    """Test files that were made or changed on the way."""
    unlike: tuple[str, ...] = ()
    """Files that the two trees have otherwise, or only one of them has, as they are graded."""
    folder: str = ""
    """Where the command runs, relative to the workspace."""
    axes: tuple[Axis, ...] = AXES
    network: bool = False
    """Whether tests may be run with a network, to see what it changes."""
    shuffles: int = 20
    cores: int = 2
    """Of the machine: what `load` means."""
    timezones: tuple[str, ...] = ("America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")
    """Those that the image knows."""
    locales: tuple[str, ...] = ("C", "tr_TR.UTF-8", "de_DE.UTF-8")
    """Those that the image has."""
    now: float = 0.0
    """Unix seconds at the start: what `the last minutes of a month` is counted from."""
    command: tuple[str, ...] = ("python", "-m", "pytest")
    """For the commands that show a cause; tests are appended to it."""
    fail_to_pass: tuple[str, ...] = ()
    """Tests that must fail before and pass after, where somebody has said so."""
    pass_to_pass: tuple[str, ...] = ()
    """Tests that must pass before and after, where somebody has said so."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the plan."""

    what: str
    boxes: int
    sessions: int
    seconds: float
    """Of work; the wall time is less where several boxes run at once."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is going to be run, apart from what is done about flips that are found."""

    rows: tuple[Row, ...]
    boxes: int
    sessions: int
    seconds: float
    """Of wall time, about; 0 before the control has run."""
