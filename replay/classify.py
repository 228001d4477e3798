"""What each test is, and what the whole is: class, outcome and the sets of tests, by task type.

From what is known to what is said of it; how it came to be known is elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from traceproof.replay.asks import usable
from traceproof.replay.causes.lab import Lab
from traceproof.replay.options import Options
from traceproof.replay.runs import Outcome
from traceproof.replay.states import executions, state
from traceproof.replay.testids import is_in
from traceproof.replay.verdict import (
    Before,
    CauseName,
    Resolution,
    Set,
    TaskType,
    TestClass,
    TestVerdict,
    TraceClass,
)

BY_WHAT_PASSES: frozenset[TaskType] = frozenset(("refactoring", "architecture", "review"))
"""Tasks that only have to leave passing what passes; the others have to mend something."""
LEAST_LEFT = 0.5
"""The share of PASS_TO_PASS that must be steady for the whole to be."""

_ORDER_OF_CLASSES: tuple[TestClass, ...] = ("flaky", "fragile", "inconclusive")


class Judgement(NamedTuple):
    """What is said of the whole."""

    class_: TraceClass
    outcome: Resolution | None
    reason: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    pass_to_fail: tuple[str, ...]
    taken_out: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether it is steady and resolved."""
        return self.class_ == "steady" and self.outcome == "resolved"


def test_class(lab: Lab, test: str, needed: int) -> TestClass:
    """Return what a test is.

    Args:
        lab: what is known.
        test: the test.
        needed: identical reruns without a flip that the bound needs.
    """
    sights = lab.ledger.identical[test]
    if len({state(sight.case) for sight in sights}) > 1 or test in lab.contradicted:
        return "flaky"
    if lab.causes.get(test):
        return "fragile"
    if lab.is_open(test):
        return "inconclusive"
    return "steady" if len(sights) >= needed else "inconclusive"


def before(lab: Lab, test: str) -> Before:
    """Return how a test is on the base tree."""
    if not lab.options.base:
        return "not run"
    sights = lab.ledger.base.get(test, [])
    first = _as_it_was(lab, test)
    if first and (not sights or not is_in(test, lab.options.written, lab.options.folder)):
        return first
    if not sights:
        return "missing" if _comparable(lab) and not is_new(lab, test) else "not run"
    if len({state(sight.case) for sight in sights}) > 1:
        return "varies"
    return sights[0].case.outcome


def _as_it_was(lab: Lab, test: str) -> Outcome | None:
    """Return how a test is on the base tree by the tests of the beginning; None: it is not known.

    If its own file was not changed on the way, this is how it is: what else was made of the tests
    can make it fail, or keep it from being found, so that it seems to be mended later.
    """
    sessions = [executions(one) for one in lab.ledger.undone["base"] if usable(one)]
    cases = [session.get(test) for session in sessions]
    known = [case for case in cases if case is not None]
    if len(known) < len(cases) or len({state(case) for case in known}) != 1:
        return None
    return known[0].outcome


def is_new(lab: Lab, test: str) -> bool:
    """Return whether the base tree lacks a test because its file is another there.

    It is so with a doctest of the code, and with a test whose file is not called like one: it is
    not restored in the base tree, and that it is not there is no failure.
    """
    known = test in lab.ledger.base or not lab.ledger.base_sessions
    if known or not is_in(test, lab.options.unlike, lab.options.folder):
        return False
    return not any(
        test.startswith((f"{one}::", f"{one}.")) and sights[0].case.phase == "collect"
        for one, sights in lab.ledger.base.items()
    )


def _comparable(lab: Lab) -> bool:
    """Return whether a test that the base tree does not show was really not there.

    It was not if the base tree's tests were heard as the final tree's are; or if the command could
    not even begin on it, and says so. Of a base that never came to its end nothing is known.
    """
    base, final = lab.ledger.sources["base"], lab.ledger.sources["final"]
    if base == {"exit code"} and "exit code" not in final:
        return "base" not in lab.ledger.passed_whole
    return bool(base & final)


def set_of(before: Before, after: str) -> Set:
    """Return in which set a test is, from how it was and is.

    A test that the base tree does not have, as its file cannot be collected there, failed before.
    What is skipped or expected to fail is in none.
    """
    was = _passes(before)
    now = _passes(after)
    if was is None or now is None:
        return ""
    if now:
        return "pass_to_pass" if was else "fail_to_pass"
    return "pass_to_fail" if was else "fail_to_fail"


def judge(tests: Sequence[TestVerdict], vanished: Collection[str], options: Options) -> Judgement:
    """Return what the whole is, from what each test is."""
    unsteady = tuple(t.test for t in tests if t.class_ in ("flaky", "fragile"))
    sets = {name: _members(tests, name) for name in ("fail_to_pass", "pass_to_pass")}
    lost = tuple(t for t in _members(tests, "pass_to_fail") if t not in unsteady)
    class_, why = _class(tests, sets, options)
    outcome, says = _outcome(sets, lost, tuple(vanished), options)
    left = {name: tuple(t for t in ids if t not in unsteady) for name, ids in sets.items()}
    return Judgement(
        class_,
        outcome,
        f"{says}; {why}",
        left["fail_to_pass"],
        left["pass_to_pass"],
        lost,
        unsteady,
    )


def with_broken(said: Judgement, problems: Sequence[str], ended: int) -> Judgement:
    """Return what is said where some identical reruns came to their end, and others did not.

    That is a contradiction as any other: what would make a test fail may as well end its process.

    Args:
        said: of those that did.
        problems: of those that did not.
        ended: how many did.
    """
    if not problems or not ended or said.class_ not in ("steady", "fragile", "inconclusive"):
        return said
    count = f"{len(problems)} of {len(problems) + ended} identical reruns"
    why = f"{count} did not come to their end: {problems[0]}"
    return said._replace(class_="flaky", reason=f"{said.reason}; {why}")


def with_beyond(said: Judgement, lab: Lab) -> Judgement:
    """Return what is said where the command fails though no test of it does.

    A second runner that is not heard, a check of types: that it fails is no test's failure, and no
    success either. Who fails so on the base tree each time has not failed for what was done.
    """
    codes, before = lab.ledger.beyond["final"], lab.ledger.beyond["base"]
    if not codes or (before and len(before) == lab.ledger.base_sessions):
        return said
    why = f"the command fails (exit code {codes[0]}), though no test that was heard does"
    if len(codes) < lab.ledger.sessions:
        often = f"in {len(codes)} of {lab.ledger.sessions} identical reruns {why}"
        return said._replace(class_="flaky", reason=f"{often}; {said.reason}")
    if said.outcome == "resolved":
        return said._replace(outcome="unresolved", reason=f"{why}; {said.reason}")
    return said


def with_plugins(said: Judgement, lab: Lab) -> Judgement:
    """Return what is said where the project has made itself a plugin of pytest on the way.

    What configures tests is undone in sessions by the tests of the beginning; code that is called
    by an entry point, or registers itself, is in them too.
    """
    new = lab.ledger.plugins["final"] - lab.ledger.plugins["base"]
    for session in filter(usable, lab.ledger.undone["final"]):
        new &= set(session.plugins)
    if not new or said.outcome != "resolved":
        return said
    why = f"{min(new)} takes part in pytest now, and did not before: it may judge itself"
    return said._replace(outcome="unresolved", reason=f"{why}; {said.reason}")


def causes_of(tests: Sequence[TestVerdict]) -> tuple[CauseName, ...]:
    """Return the causes of all that is not steady, the most frequent first."""
    counts = Counter(test.causes[0].name for test in tests if test.causes)
    return tuple(name for name, _ in counts.most_common())


def vanished(lab: Lab) -> tuple[str, ...]:
    """Return tests that passed each time on the base tree, and of which that cannot be seen now.

    They are not there on the final tree, or not each time, or skipped, or expected to fail. Ids
    that are others each time are of no test that could be missed.
    """
    return tuple(
        test
        for test, sights in lab.ledger.base.items()
        if len({sight.answer.ref for sight in sights}) == lab.ledger.base_sessions
        and _passes(before(lab, test))
        and not _is_seen(lab, test)
    )


def _is_seen(lab: Lab, test: str) -> bool:
    sights = lab.ledger.identical.get(test, [])
    if len(sights) < lab.ledger.sessions or not sights:
        return False
    return _passes(lab.ledger.case(test).outcome) is not None


def _passes(outcome: str) -> bool | None:
    if outcome in ("passed", "xpassed"):
        return True
    return False if outcome in ("failed", "error", "missing") else None


def _members(tests: Sequence[TestVerdict], name: str) -> tuple[str, ...]:
    return tuple(test.test for test in tests if test.set == name)


def _class(
    tests: Sequence[TestVerdict], sets: dict[str, tuple[str, ...]], options: Options
) -> tuple[TraceClass, str]:
    """Return the class of the whole, and why: what must flip before it is not steady."""
    mends = () if options.task in BY_WHAT_PASSES else sets["fail_to_pass"]
    if options.task not in BY_WHAT_PASSES and not mends:  # what passes now and then mends nothing
        mends = tuple(t.test for t in tests if t.set == "fail_to_fail" and t.class_ == "flaky")
    touched = [t for t in tests if t.test in set(options.fail_to_pass or mends)]
    for name in _ORDER_OF_CLASSES:
        if hit := [t.test for t in touched if t.class_ == name]:
            return name, f"{hit[0]} is {name}" + _and_more(len(hit)) + " and matters for it"
    kept = set(options.pass_to_pass or sets["pass_to_pass"])
    rest = [t for t in tests if t.test in kept] or ([] if touched else list(tests))
    steady = sum(t.class_ == "steady" for t in rest)
    classes = Counter(t.class_ for t in rest)
    unsteady = len(rest) - steady
    if unsteady and not options.base:  # nothing is compared: all of it is what is asked about
        worst = next(name for name in _ORDER_OF_CLASSES if classes[name])
        return worst, f"{unsteady} of {len(rest)} are not steady"
    if steady < LEAST_LEFT * len(rest):
        worst = max(_ORDER_OF_CLASSES, key=lambda name: classes[name])
        return worst, f"{classes[worst]} of {len(rest)} are {worst}"
    return "steady", "what counts is steady" + (f", {unsteady} taken out" if unsteady else "")


def _and_more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def _outcome(
    sets: dict[str, tuple[str, ...]],
    lost: Sequence[str],
    gone: Sequence[str],
    options: Options,
) -> tuple[Resolution | None, str]:
    if not options.base:
        return None, "there is no base tree to compare with"
    if lost:
        return "regressed", f"{lost[0]} passed before and fails now" + _and_more(len(lost))
    passing = {*sets["fail_to_pass"], *sets["pass_to_pass"]}
    asked = (*options.fail_to_pass, *options.pass_to_pass)
    if gone:
        return "regressed", f"{gone[0]} passed before and is not run now" + _and_more(len(gone))
    if missing := [test for test in asked if test not in passing]:
        return "unresolved", f"{missing[0]} does not pass" + _and_more(len(missing))
    if options.task in BY_WHAT_PASSES:
        if sets["pass_to_pass"]:
            return "resolved", f"{len(sets['pass_to_pass'])} pass as before"
        return "unresolved", "no test passes before and after"
    if sets["fail_to_pass"]:
        return "resolved", f"{len(sets['fail_to_pass'])} fail before and pass after"
    return "unresolved", "no test fails before and passes after"
