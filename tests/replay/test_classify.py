from __future__ import annotations

import pytest

from traceproof.replay.classify import causes_of, judge, set_of
from traceproof.replay.options import Options
from traceproof.replay.verdict import Before, Cause, CauseName, TestClass, TestVerdict

STEADY_SUITE = ("steady pass_to_pass",) * 4


def made(*texts: str, cause: CauseName = "order") -> list[TestVerdict]:
    """Return tests t0, t1, …, each given as `class set`."""
    return [_one(f"t{k}", text, cause) for k, text in enumerate(texts)]


def _one(test: str, text: str, cause: CauseName) -> TestVerdict:
    class_: TestClass
    class_, set_ = text.split()  # type: ignore[assignment]
    causes = (Cause(name=cause, text="", axis="order"),) if class_ == "fragile" else ()
    return TestVerdict(
        test=test,
        class_=class_,
        outcome="passed",
        set="" if set_ == "-" else set_,  # type: ignore[arg-type]
        runs=59,
        bound=0.05,
        causes=causes,
    )


@pytest.mark.parametrize(
    ("before", "after", "set_"),
    [
        ("failed", "passed", "fail_to_pass"),
        ("missing", "passed", "fail_to_pass"),
        ("error", "xpassed", "fail_to_pass"),
        ("passed", "passed", "pass_to_pass"),
        ("passed", "failed", "pass_to_fail"),
        ("error", "failed", "fail_to_fail"),
        ("skipped", "passed", ""),
        ("passed", "skipped", ""),
        ("failed", "xfailed", ""),
        ("varies", "passed", ""),
        ("not run", "passed", ""),
    ],
)
def test_before_and_after(before: Before, after: str, set_: str) -> None:
    assert set_of(before, after) == set_


def test_a_repair_is_resolved_when_something_fails_before_and_passes_after() -> None:
    said = judge(made("steady fail_to_pass", *STEADY_SUITE), (), Options(task="repair"))

    assert (said.class_, said.outcome, said.verified) == ("steady", "resolved", True)
    assert (said.fail_to_pass, len(said.pass_to_pass)) == (("t0",), 4)


def test_a_repair_that_mends_nothing_is_unresolved_and_steady() -> None:
    said = judge(made("steady fail_to_fail", *STEADY_SUITE), (), Options())

    assert (said.class_, said.outcome, said.verified) == ("steady", "unresolved", False)


@pytest.mark.parametrize("task", ["refactoring", "architecture", "review"])
def test_other_tasks_only_have_to_leave_passing_what_passes(task: str) -> None:
    said = judge(made(*STEADY_SUITE), (), Options(task=task))  # type: ignore[arg-type]

    assert (said.class_, said.outcome) == ("steady", "resolved")


def test_new_tests_must_fail_on_the_base() -> None:
    options = Options(task="test_reinforcement")

    assert judge(made("steady fail_to_pass"), (), options).outcome == "resolved"
    assert judge(made("steady pass_to_pass"), (), options).outcome == "unresolved"


def test_what_passed_and_fails_now_is_a_regression_whatever_is_mended() -> None:
    tests = made("steady fail_to_pass", "steady pass_to_fail", *STEADY_SUITE)

    said = judge(tests, (), Options())

    assert (said.outcome, said.pass_to_fail) == ("regressed", ("t1",))
    assert said.reason.startswith("t1 passed before and fails now")


def test_a_file_that_cannot_be_collected_any_more_is_a_regression() -> None:
    assert judge(made(*STEADY_SUITE), ("t9",), Options()).outcome == "regressed"


def test_a_flaky_test_that_fails_is_no_regression() -> None:
    said = judge(made("steady fail_to_pass", "flaky pass_to_fail", *STEADY_SUITE), (), Options())

    assert (said.class_, said.outcome, said.taken_out) == ("steady", "resolved", ("t1",))


@pytest.mark.parametrize("class_", ["flaky", "fragile", "inconclusive"])
def test_it_is_unsteady_when_what_is_mended_is(class_: str) -> None:
    said = judge(made(f"{class_} fail_to_pass", *STEADY_SUITE), (), Options())

    assert (said.class_, said.outcome, said.verified) == (class_, "resolved", False)


def test_unsteady_tests_are_taken_out_of_what_passes() -> None:
    said = judge(made("steady fail_to_pass", "fragile pass_to_pass", *STEADY_SUITE), (), Options())

    assert said.class_ == "steady"
    assert "t1" not in said.pass_to_pass
    assert said.taken_out == ("t1",)


def test_it_is_unsteady_when_too_little_is_left() -> None:
    tests = made("steady fail_to_pass", *["fragile pass_to_pass"] * 3, *STEADY_SUITE[:2])

    assert judge(tests, (), Options()).class_ == "fragile"


def test_what_is_mended_only_sometimes_is_flaky() -> None:
    said = judge(made("flaky fail_to_fail", *STEADY_SUITE), (), Options())

    assert (said.class_, said.outcome) == ("flaky", "unresolved")


def test_without_a_base_there_is_no_outcome_and_every_test_counts() -> None:
    options = Options(base=False)

    said = judge(made("steady -", "steady -", "steady -", "fragile -"), (), options)

    assert (said.class_, said.outcome) == ("fragile", None)
    assert said.reason.endswith("1 of 4 are not steady")
    assert judge(made("steady -", "steady -"), (), options).class_ == "steady"


def test_tests_that_somebody_named_decide() -> None:
    options = Options(fail_to_pass=("t0", "t1"))
    tests = made("steady fail_to_pass", "steady fail_to_fail", *STEADY_SUITE)

    said = judge(tests, (), options)

    assert (said.outcome, said.reason[:17]) == ("unresolved", "t1 does not pass;")


def test_causes_the_most_frequent_first() -> None:
    one, two = made("fragile -", cause="time"), made("fragile -", "fragile -", "steady -")

    assert causes_of(one + two) == ("order", "time")
