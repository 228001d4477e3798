from __future__ import annotations

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify
from traceproof.replay.runs import Case, Run, RunResult, Session, SessionResult


def passing(count: int) -> dict[str, Known]:
    return in_files(count, lambda _: always("passed"))


def test_what_is_said_of_a_flaky_test() -> None:
    tests = passing(5)
    name = list(tests)[2]
    tests[name] = simulated.python_random(0.2)

    verdict, _ = verify(Suite(tests, 1))

    (test,) = [one for one in verdict.tests if one.test == name]
    assert (test.class_, test.outcome, test.before) == ("flaky", "passed", "varies")
    assert 0 < test.flips == test.failures < 30
    assert test.runs == 59
    assert test.flips / 59 < test.bound < 1
    assert {seen.outcome for seen in test.seen} == {"failed"}
    assert all(seen.run.startswith("final/same/") for seen in test.seen)


def test_every_run_is_listed_with_its_seeds_and_conditions() -> None:
    suite = Suite(passing(4))
    verdict, _ = verify(suite)

    assert [run.id for run in verdict.runs] == [run.id for run in suite.runs]
    for record, run in zip(verdict.runs, suite.runs, strict=True):
        assert record.conditions == run.conditions
        assert [s.seed for s in record.sessions] == [s.seed for s in run.sessions]
    reverse = next(run for run in verdict.runs if run.axis == "order").sessions[0]
    assert (reverse.label, reverse.outcomes, reverse.flipped) == ("reverse", {"passed": 4}, ())


def test_the_controls() -> None:
    tests = passing(4)
    tests["tests/test_0.py::test_1"] = simulated.mended()
    tests["tests/test_0.py::test_2"] = always("skipped")

    base, final = verify(Suite(tests))[0].controls

    assert (base.tree, base.run, base.passed, base.failed) == ("base", "base/same/1#0", 2, 1)
    assert (final.tree, final.passed, final.failed, final.skipped) == ("final", 3, 0, 1)


def test_sessions_that_count_for_nothing_are_noted() -> None:
    verdict, _ = verify(Suite(passing(4), trouble=0.2))

    assert any("counted for nothing: same: killed by signal 9" in n for n in verdict.notes)
    assert {test.class_ for test in verdict.tests} == {"steady"}
    assert any(s.problem for run in verdict.runs for s in run.sessions)


class Renaming(Suite):
    """Has one test whose id is another each time."""

    def session(self, run: Run, session: Session, box: int) -> SessionResult:
        found = super().session(run, session, box)
        case = Case(test=f"tests/test_0.py::t[{len(self.runs)}]", outcome="passed")
        return SessionResult(cases=(*found.cases, case), seconds=found.seconds)


def test_a_test_with_another_id_each_time_is_noted_and_in_no_list() -> None:
    verdict, _ = verify(Renaming(passing(4)))

    assert len(verdict.tests) == 4
    assert verdict.fail_to_pass == ()
    assert any("have another id each time" in note for note in verdict.notes)


class Uncollected(Suite):
    """Has a file that cannot be collected on one tree."""

    tree = "final"

    def run(self, run: Run) -> RunResult:
        result = super().run(run)
        if run.tree != self.tree:
            return result
        return RunResult(run=run.id, sessions=tuple(map(self._without, result.sessions)))

    def _without(self, session: SessionResult) -> SessionResult:
        file = "tests/test_0.py"
        lost = Case(test=file, outcome="error", phase="collect", message="ImportError: no")
        kept = tuple(case for case in session.cases if not case.test.startswith(file))
        return SessionResult(cases=(lost, *kept), seconds=session.seconds)


def test_a_file_that_cannot_be_collected_after_is_a_regression() -> None:
    verdict, _ = verify(Uncollected(passing(15)))

    assert (verdict.class_, verdict.outcome) == ("steady", "regressed")
    assert len(verdict.vanished) == 10
    assert "tests/test_0.py cannot be collected: ImportError: no" in verdict.notes


def test_a_file_that_could_not_be_collected_before_is_mended() -> None:
    suite = Uncollected(passing(15))
    suite.tree = "base"

    verdict, _ = verify(suite)

    assert (verdict.class_, verdict.outcome) == ("steady", "resolved")
    assert len(verdict.fail_to_pass) == 10
