"""What is known of tests, and how a verdict compares with it.

A labels file is TOML: where the tests are from, and for each test that is not steady its class and
cause. Nothing is run here; `oracle.py` runs it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from traceproof.replay.verdict import Cause, CauseName, TestClass, TestVerdict, Verdict

FOLDER = Path(__file__).resolve().parent / "oracle"
MOST_FALSE = 0.01
"""Of the published packages' unlabelled tests."""


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one test."""

    test: str
    class_: tuple[TestClass, ...] = msgspec.field(name="class")
    """Any of these is right."""
    cause: tuple[CauseName, ...]
    """Likewise; the first names the row of the table."""
    role: Literal["", "victim", "brittle"] = ""
    others: tuple[str, ...] = ()
    """The polluters or setters: all of them together, and no others."""
    needs: str = ""
    """The value of an axis without which nobody could see it: `de_DE.UTF-8`."""
    category: tuple[str, ...] = ()
    """As published."""


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some tests with labels: a folder beside the labels file, or an sdist of the index."""

    name: str
    as_of: str
    tests: str
    runs: int
    """Identical reruns; 0: what the default plan has."""
    network: bool
    published: bool
    """Whether the labels are somebody else's. Then tests without one are counted as steady, and
    every polluter has to be named, whichever it is."""
    folder: str = ""
    sdist: str = ""
    sha256: str = ""
    steady: tuple[str, ...] = ()
    label: tuple[Label, ...]

    @property
    def labels(self) -> dict[str, Label]:
        """The labels by test."""
        return {label.test: label for label in self.label}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one label."""

    label: Label
    recognised: bool
    called: str = ""
    """The first cause that the verdict names; empty: none."""
    why: str
    """What the verdict says of it, in words."""
    shown: bool = True
    """Whether this sandbox has what the test needs."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A test without a label that is called unsteady."""

    test: str
    class_: TestClass = msgspec.field(name="class")
    cause: str
    text: str
    run: str
    """What `--repeat` takes; empty where nothing shows it."""
    reproduced: bool = False
    """Whether the command that the verdict names showed the flip again: it is then none."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How a verdict compares with the labels."""

    name: str
    published: bool
    tests: int
    unlabelled: int
    found: tuple[Found, ...]
    alarms: tuple[Alarm, ...]
    class_: str = msgspec.field(name="class")
    reason: str
    runs: int
    """Sessions that were run."""
    seconds: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One cause, over all subjects."""

    cause: str
    labels: int
    recognised: int
    called: int
    """Tests whose first cause it is said to be; alarms that were reproduced are not among them."""
    right: int

    @property
    def recall(self) -> float:
        """The share of labels that were recognised."""
        return self.recognised / self.labels if self.labels else 1.0

    @property
    def precision(self) -> float:
        """The share of what is called so that is so."""
        return self.right / self.called if self.called else 1.0


def subjects() -> dict[str, Subject]:
    """Read the labels files.

    Raises:
        ValueError: one is wrong.
    """
    read = (_read(path) for path in sorted(FOLDER.glob("*.toml")))
    return {subject.name: subject for subject in read}


def _read(path: Path) -> Subject:
    return msgspec.convert(tomllib.loads(path.read_text()), Subject)


def score(subject: Subject, verdict: Verdict) -> Score:
    """Compare a verdict with what is known."""
    seen = {test.test: test for test in verdict.tests}
    values = {run.value for run in verdict.runs}
    unlabelled = [test for test in verdict.tests if test.test not in subject.labels]
    return Score(
        name=subject.name,
        published=subject.published,
        tests=len(seen),
        unlabelled=len(unlabelled),
        found=tuple(_found(label, seen.get(label.test), values) for label in subject.label),
        alarms=tuple(_alarm(test) for test in unlabelled if test.class_ != "steady"),
        class_=verdict.class_,
        reason=verdict.reason,
        runs=sum(len(run.sessions) for run in verdict.runs),
        seconds=verdict.seconds,
    )


def _found(label: Label, test: TestVerdict | None, values: set[str]) -> Found:
    shown = not label.needs or label.needs in values
    if test is None:
        return Found(label=label, recognised=False, why="it was not run", shown=shown)
    causes = [cause for cause in test.causes if cause.name in label.cause]
    text = "; ".join(cause.text for cause in test.causes) or "no cause"
    return Found(
        label=label,
        recognised=test.class_ in label.class_ and any(_fits(label, cause) for cause in causes),
        called=test.causes[0].name if test.causes else "",
        why=f"{test.class_}: {text}",
        shown=shown,
    )


def _fits(label: Label, cause: Cause) -> bool:
    if cause.name != "order":
        return True
    if not label.others:
        return bool(cause.others)
    named = {frozenset(others) for others in cause.others}
    return frozenset(label.others) in named and label.role in ("", cause.role)


def _alarm(test: TestVerdict) -> Alarm:
    cause = test.causes[0] if test.causes else None
    return Alarm(
        test=test.test,
        class_=test.class_,
        cause=cause.name if cause else "unknown",
        text=cause.text if cause else "",
        run=cause.shown.run if cause and cause.shown else "",
    )


def table(scores: Sequence[Score]) -> list[Row]:
    """Return recall and precision, cause by cause."""
    found = [item for score in scores for item in score.found]
    alarms = [alarm for score in scores for alarm in score.alarms if not alarm.reproduced]
    called = [*(item.called for item in found), *(alarm.cause for alarm in alarms)]
    names = dict.fromkeys([*(item.label.cause[0] for item in found), *filter(None, called)])
    return [_row(name, found, called.count(name)) for name in names]


def _row(name: str, found: Sequence[Found], called: int) -> Row:
    mine = [item for item in found if item.label.cause[0] == name and item.shown]
    return Row(
        cause=name,
        labels=len(mine),
        recognised=sum(item.recognised for item in mine),
        called=called,
        right=sum(item.called == name and name in item.label.cause for item in found),
    )


def false_alarms(scores: Sequence[Score]) -> tuple[int, int]:
    """Return how many unlabelled tests of the published packages are called unsteady, of how many.

    Those whose flip the named command showed again are aside.
    """
    pooled = [score for score in scores if score.published]
    wrong = sum(not alarm.reproduced for score in pooled for alarm in score.alarms)
    return wrong, sum(score.unlabelled for score in pooled)


def complaints(scores: Sequence[Score], *, everything: bool) -> Iterator[str]:
    """Yield where it falls below what is asked for.

    Args:
        scores: of the subjects that were run.
        everything: whether the sandbox has to have all that tests need, as the engine does.
    """
    for score in scores:
        for item in score.found:
            if not item.recognised and (item.shown or everything):
                yield f"{score.name}: {item.label.test} is not recognised: {item.why}"
        if not score.published:
            for alarm in score.alarms:
                yield f"{score.name}: {alarm.test} is steady, and called {alarm.class_}"
    wrong, of = false_alarms(scores)
    if of and wrong / of > MOST_FALSE:
        yield f"{wrong} of {of} unlabelled tests are called unsteady: more than {MOST_FALSE:.0%}"
