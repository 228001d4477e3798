"""A verdict: what can be trusted of a trace's tests, with the numbers and runs behind it.

Data alone. `traceproof.replay.verification` makes it from runs; files and reports are made from it
elsewhere. It says nothing about where it is kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from traceproof.replay.runs import Axis, Conditions, Outcome, Session, Tree

VERSION = 1
"""Of the verdict's format; a change that a reader would notice makes it another."""

TestClass = Literal["steady", "flaky", "fragile", "inconclusive"]
"""`flaky`: contradiction in identical reruns; `fragile`: only under perturbation."""
TraceClass = Literal["steady", "flaky", "fragile", "inconclusive", "environment_failed", "no_tests"]
CauseName = Literal[
    "order", "repetition", "hash_seed", "time", "timezone", "locale", "network",
    "filesystem_order", "load", "concurrency", "randomness", "infrastructure", "unknown",
]  # fmt: skip
Resolution = Literal["resolved", "unresolved", "regressed"]
TaskType = Literal[
    "repair", "test_reinforcement", "refactoring", "architecture", "feature", "review"
]
Before = Literal[
    "passed", "failed", "error", "skipped", "xfailed", "xpassed", "missing", "varies", "not run"
]
"""How a test is on the base tree. `missing`: not collected there; `varies`: not always the same."""
Set = Literal["", "fail_to_pass", "pass_to_pass", "fail_to_fail", "pass_to_fail"]
"""`fail_to_pass` and so on: before to after. Empty: without a base tree, or skipped."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """How often something came out other than the test's own outcome."""

    runs: int
    """How many executions there were."""
    flips: int
    """How many of them came out otherwise."""


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of a test that came out otherwise."""

    run: str
    """`<run id>#<session>`, counted from 0: `final/order/2#5`; `--repeat` takes it."""
    outcome: Outcome
    """What it came out as."""
    phase: str = ""
    """Where it failed: `collect`, `setup`, `call` or `teardown`."""
    repeat: int = 0
    """1 for the second execution in one process."""
    message: str = ""
    """The error's last line."""


class Demonstration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The smallest session that shows a cause, whole: enough to run it without the run's file."""

    run: str
    """`<run id>#<session>` where it was seen."""
    outcome: Outcome
    """What the test came out as in it."""
    conditions: Conditions
    """What was around the tests."""
    session: Session
    """Which tests, in which order, with which seed."""
    command: str = ""
    """The same as a shell command in the workspace; empty where no plain command does it."""


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a test flips, as shown by experiments."""

    name: CauseName
    """What kind of cause."""
    text: str
    """One sentence for a person: what changes the outcome, and how often."""
    axis: Axis
    """Where it was seen first."""
    value: str = ""
    """What of that axis: `+190 days`, `hash seed 3`."""
    role: Literal["", "victim", "brittle"] = ""
    """`victim`: fails after others (`others` are its polluters); `brittle`: fails without others
    before it (`others` are its setters)."""
    others: tuple[tuple[str, ...], ...] = ()
    """Smallest sets of tests that change the outcome by running before it; each is enough alone."""
    imports: bool = False
    """It is enough that the files of `others` are imported."""
    with_cause: Rate | None = None
    """Executions with the cause, and how many of them flipped."""
    without: Rate | None = None
    """Executions without it."""
    shown: Demonstration | None = None
    """What to run to see it."""
    contrast: Demonstration | None = None
    """The same without the cause."""


class TestVerdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one test on the final tree."""

    __test__ = False  # pytest collects what is called like this

    test: str
    """The runner's id of it."""
    class_: TestClass = msgspec.field(name="class")
    """What it is on the final tree."""
    outcome: Outcome
    """In identical reruns; where they contradict each other, the most frequent."""
    before: Before = "not run"
    """What it is on the base tree."""
    set: Set = ""
    """From before to after; empty: without a base tree, or skipped."""
    runs: int
    """Identical reruns that have it, the control among them."""
    flips: int = 0
    """Those of them that came out otherwise than `outcome`."""
    failures: int = 0
    """Those of them in which it failed, errors included."""
    errors: int = 0
    """Those of the failures that were in set-up, tear-down or collection."""
    bound: float
    """Upper bound of the rate of flips in identical reruns, at the budget's confidence."""
    seconds: float = 0.0
    """The median time it takes."""
    axes: dict[str, Rate] = {}
    """Per axis: executions under it, and how many flipped."""
    causes: tuple[Cause, ...] = ()
    """The first is the one that its class is for; empty: steady, or not examined."""
    seen: tuple[Seen, ...] = ()
    """Some of the executions that came out otherwise, at most 8."""
    unconfirmed: tuple[Seen, ...] = ()
    """Flips under perturbation that did not come again; its class is not changed by them."""
    message: str = ""
    """Of a failure: the error's last line."""
    detail: str = ""
    """Of a failure: the end of its report."""
    agent_written: bool = False
    """Its file was made or changed by the agent. Set by who knows the trees."""


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One session of a run, in short; the whole is in the file of runs."""

    label: str
    """What was done, in words: `as is`, `reverse`, `shuffle 7`, `alone tests/a.py::t`."""
    seed: int
    """For all that is random in it."""
    tests: int = 0
    """How many executions there were."""
    exit_code: int | None = None
    """The test command's; None where a signal ended it."""
    signal: int | None = None
    """The signal that ended it."""
    seconds: float = 0.0
    """How long it took."""
    problem: str = ""
    """Why it counts for nothing."""
    outcomes: dict[str, int] = {}
    """How many executions came out as what."""
    flipped: tuple[str, ...] = ()
    """Tests that came out otherwise than their own outcome, at most 50."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run, in the order in which they ended."""

    id: str
    """What `--repeat` takes; unique but for runs whose box failed."""
    tree: Tree
    """Which tree."""
    axis: Axis
    """What was perturbed; `same`: nothing."""
    value: str = ""
    """What of the axis, in words."""
    conditions: Conditions = Conditions()
    """What was around the tests."""
    sessions: tuple[SessionRecord, ...] = ()
    """Its sessions, in their order."""
    started: float = 0.0
    """Unix seconds."""
    seconds: float = 0.0
    """How long the box was used."""
    failure: str = ""
    """Why the box failed; it was then run again, or given up."""


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    max_flake_rate: float
    """Reruns go on until no test's flake rate can be above this."""
    confidence: float
    """How sure that is to be."""
    runs: int
    """Identical reruns, the control among them: what the bound needs, or what was asked for."""
    needed: int
    """Identical reruns without a flip that the bound needs."""
    seconds: float
    """0: as long as it takes."""


class Control(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The tests once on one tree."""

    tree: Tree
    """Which tree."""
    run: str
    """`<run id>#<session>` of it."""
    complete: bool
    """Whether the runner came to its end and can be believed."""
    problem: str = ""
    """Why not."""
    tests: int = 0
    """How many executions there were."""
    passed: int = 0
    """How many of them passed, unexpected passes among them."""
    failed: int = 0
    """How many failed."""
    errors: int = 0
    """How many failed in set-up, tear-down or collection."""
    skipped: int = 0
    """How many were skipped, expected failures among them."""
    seconds: float = 0.0
    """How long the session took."""
    output: str = ""
    """The end of its output, where something went wrong."""


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was verified. Filled in by who knows it."""

    trace: str = ""
    """The trace file's name; empty without a trace."""
    trace_sha256: str = ""
    """Of the trace file, in hex."""
    repository: str = ""
    """Its path or address."""
    commit: str = ""
    """The commit that all begins from; empty for a folder without git."""
    patch_sha256: str = ""
    """Of what makes the final tree of the commit, in hex."""
    base_tree: str = ""
    """Tree hash of the base as it was run, test files restored."""
    final_tree: str = ""
    """Tree hash of the final tree as it was run."""
    command: tuple[str, ...] = ()
    """The test command."""
    folder: str = ""
    """Where it runs, relative to the workspace."""
    environment: dict[str, str] = {}
    """What is added to the environment for it."""
    tests_from: str = "final"
    """Which state the test files were restored to: `final`, `base` or a file."""
    agent_written: tuple[str, ...] = ()
    """Test files that the agent made or changed."""
    runs_file: str = ""
    """The file with every run and result, beside the verdict."""
    runs_sha256: str = ""
    """Of the file of runs, in hex."""


class Environment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it ran. Filled in by who knows it."""

    sandbox: Literal["docker", "local"]
    """Which backend ran the boxes."""
    isolation: Literal["container", "process"]
    """How far a box is kept from the machine."""
    final_image: str = ""
    """The image that the final tree ran in: its id, or for `local` its folder."""
    base_image: str = ""
    """Likewise for the base tree; empty without one."""
    base_digest: str = ""
    """The registry's digest of the image that all is built on; empty for an imported one."""
    lock_sha256: str = ""
    """Of what was resolved; equal where packages and hashes are."""
    lock: dict[str, object] = {}
    """What was resolved, whole: packages with versions and hashes."""
    limits: dict[str, int | float] = {}
    """What a box may use: bytes, processes, processors."""
    engine: str = ""
    """The engine and its version; empty where not known."""
    not_held: tuple[str, ...] = ()
    """Limits that the backend cannot hold a process to."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What can be trusted, and why.

    `verified` says that it is steady and resolved; nothing else should be read into it.
    """

    traceproof_verdict: int = VERSION
    """The format's version."""
    class_: TraceClass = msgspec.field(name="class")
    """What the tests that matter are."""
    outcome: Resolution | None = None
    """None: there was no base tree to compare with, or no tests."""
    verified: bool = False
    """Steady and resolved."""
    reason: str
    """One sentence: why it is what it is."""
    causes: tuple[CauseName, ...] = ()
    """Of the tests that are not steady, the most frequent first."""
    task: TaskType
    """By which rules `outcome` is judged."""
    subject: Subject = Subject()
    """What was verified."""
    environment: Environment | None = None
    """Where it ran; None: it came to no environment."""
    budgets: Budgets
    """What was asked for."""
    seed: int
    """From which every run's id and seed follows."""
    controls: tuple[Control, ...] = ()
    """The tests once on the base tree, where there is one, and once on the final tree."""
    tests: tuple[TestVerdict, ...] = ()
    """On the final tree, by id."""
    fail_to_pass: tuple[str, ...] = ()
    """Steady ones alone; `taken_out` has the others."""
    pass_to_pass: tuple[str, ...] = ()
    """Steady ones alone, as above."""
    pass_to_fail: tuple[str, ...] = ()
    """Steady failures that passed before."""
    taken_out: tuple[str, ...] = ()
    """Unsteady tests, in none of the lists above."""
    vanished: tuple[str, ...] = ()
    """Tests that pass on the base tree each time, and on the final tree are not there, not there
    each time, skipped, or expected to fail."""
    lost: tuple[str, ...] = ()
    """Tests that fail on the final tree as they were in the beginning, and passed on the base tree,
    are said to be mended, or failed there too and are out of sight now: whatever was made of them
    on the way."""
    runs: tuple[RunRecord, ...] = ()
    """All runs, in the order in which they ended."""
    notes: tuple[str, ...] = ()
    """What a reader should know: axes left out, runs that had to be done again."""
    started: float = 0.0
    """Unix seconds."""
    seconds: float = 0.0
    """How long it took in all."""
    version: str = ""
    """Of traceproof."""
