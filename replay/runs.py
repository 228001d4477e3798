"""A run of the tests: what was asked for, and what came of it. Data alone.

A *run* is one fresh box. In it there are one or more *sessions*, each one process of the test
command in a clean workspace (`Box.reset` between them); identical reruns have one session each.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Tree = Literal["base", "final"]
Axis = Literal[
    "same", "order", "alone", "twice", "hash_seed", "clock", "timezone", "locale", "file_order",
    "network", "slow_cpu", "load", "random", "threads", "probe",
]  # fmt: skip
Source = Literal["plugin", "junit", "exit code"]
Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
"""`error`: set-up or tear-down failed, or the file could not be collected."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is around the tests. The defaults are those of identical reruns."""

    hash_seed: int = 0
    """Python's `PYTHONHASHSEED`."""
    clock: float = 0.0
    """Seconds that the wall clock is ahead of the true one; monotonic time is never touched."""
    timezone: str = ""
    """The variable `TZ`; empty: the image's."""
    locale: str = ""
    """The variables `LC_ALL` and `LANG`; empty: the image's."""
    file_order: int | None = None
    """The seed by which files are created in another order."""
    network: bool = False
    """Whether there is one."""
    cpus: float = 0.0
    """0: what the limits say."""
    load: int = 0
    """Busy processes beside the tests."""
    switch_interval: float = 0.0
    """Seconds between switches of Python's threads; 0: Python's own."""
    undone_tests: bool = False
    """The tests, and what configures their runner, are those of the beginning: what was made of
    them on the way is undone."""
    fixed_random: bool = False
    """Python's and NumPy's random numbers, `os.urandom` and uuids come from the session's seed,
    anew before each test. Otherwise `random` is seeded once, before collection."""


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One process of the test command."""

    seed: int
    """For all that is random in it; another seed is another, equally natural, run."""
    tests: tuple[str, ...] | None = None
    """Which tests, in which order; None: all, as the runner orders them."""
    shuffle: Literal["", "reverse", "random"] = ""
    """Of `tests`, or of all: by `seed`, within what the fixtures allow (a group that shares a
    class's or module's fixture stays together)."""
    twice: Literal["", "each", "suite"] = ""
    """Every test twice in the one process: each right after itself, or the suite after itself."""
    collect: Literal["all", "only"] = "all"
    """Whether the files of other tests are imported as well."""


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One box, and what is run in it. The id is unique in a verdict: `final/order/reverse`, ..."""

    id: str
    tree: Tree
    axis: Axis
    value: str = ""
    """What of the axis, in words that a person reads: `reverse`, `+190 days`, `tr_TR.UTF-8`."""
    conditions: Conditions = Conditions()
    sessions: tuple[Session, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of one test."""

    test: str
    """The runner's id of it: `tests/test_a.py::TestB::test_c[1]`."""
    outcome: Outcome
    seconds: float = 0.0
    repeat: int = 0
    """1 for the second execution in one process."""
    phase: Literal["", "collect", "setup", "call", "teardown"] = ""
    """Where it failed."""
    message: str = ""
    """The error's last line, at most 500 characters."""
    detail: str = ""
    """The end of the report of the failure, at most 8,000 characters."""
    group: str = ""
    """Names the class's or module's fixtures that it shares with others; empty: none."""
    threads: int = 0
    """How many threads it started."""
    files: tuple[str, ...] = ()
    """Reserved."""


class SessionResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a session."""

    cases: tuple[Case, ...]
    """In the order in which they ran."""
    collected: tuple[str, ...] = ()
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    complete: bool = True
    """Whether the runner came to its end and said so."""
    problem: str = ""
    """Why it is not complete, or cannot be believed: `timed out after 1800 s`, `forged: …`."""
    output: str = ""
    """The end of stdout and stderr, at most 8,000 characters, where something is wrong."""
    source: Source = "plugin"
    """Where the cases are from."""
    plugins: tuple[str, ...] = ()
    """Modules of the project that take part in pytest, besides any `conftest.py`."""
    beyond: bool = False
    """The command failed, and no test nor runner that was heard did: something else of it."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a run."""

    run: str
    sessions: tuple[SessionResult, ...]
    started: float = 0.0
    """Unix seconds."""
    seconds: float = 0.0
    failure: str = ""
    """Why the box failed; the sessions are then those that ended before, and count for nothing."""
