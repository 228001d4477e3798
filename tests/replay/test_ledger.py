from __future__ import annotations

from traceproof.replay.asks import Answer, Ask
from traceproof.replay.ledger import Ledger
from traceproof.replay.runs import Case, Outcome, Session, SessionResult

FILE = "tests/test_a.py"
USUAL: dict[str, Outcome] = {f"{FILE}::a": "passed", f"{FILE}::b": "failed", "c": "skipped"}


def take(ledger: Ledger, ask: Ask, *cases: Case, seconds: float = 1.0) -> None:
    session = SessionResult(cases=cases, seconds=seconds)
    ledger.take(Answer(ask, f"{ask.tree}/{ask.axis}/1#0", session), session)


def cases(outcomes: dict[str, Outcome]) -> list[Case]:
    return [Case(test=test, outcome=outcome, seconds=0.1) for test, outcome in outcomes.items()]


def same() -> Ask:
    return Ask(Session(seed=1), "as is", axis="same")


def known() -> Ledger:
    ledger = Ledger()
    for _ in range(3):
        take(ledger, same(), *cases(USUAL))
    return ledger


def test_what_identical_reruns_agree_about() -> None:
    ledger = known()

    assert ledger.sessions == 3
    assert [ledger.usual(test) for test in ledger.tests] == ["ok", "bad", "skipped"]
    assert ledger.contradicted == []
    assert ledger.usual("d") is None
    assert ledger.before("c") == (f"{FILE}::a", f"{FILE}::b")
    assert ledger.seconds("c") == 0.1


def test_any_difference_between_identical_reruns_is_a_contradiction() -> None:
    ledger = known()

    take(ledger, same(), *cases({**USUAL, f"{FILE}::a": "failed", "c": "passed"}))

    assert ledger.contradicted == [f"{FILE}::a", "c"]
    assert ledger.usual(f"{FILE}::a") == "ok"
    assert ledger.case(f"{FILE}::a").outcome == "passed"


def test_a_perturbed_session_is_compared_with_the_usual() -> None:
    ledger = known()
    ask = Ask(Session(seed=1, tests=tuple(USUAL)), "reverse", axis="order")

    take(ledger, ask, *cases({**USUAL, f"{FILE}::b": "passed", "c": "failed"}))

    (flip,) = ledger.flips
    assert (flip.test, flip.state, flip.ask.label) == (f"{FILE}::b", "ok", "reverse")
    assert ledger.rates[f"{FILE}::b"] == {"order": [1, 1]}
    assert ledger.rates["c"] == {"order": [1, 0]}
    assert ledger.in_order[0].places == {f"{FILE}::a": 0, f"{FILE}::b": 1, "c": 2}


def test_tests_of_a_file_that_cannot_be_collected_now_fail() -> None:
    ledger = known()
    ask = Ask(Session(seed=1), "C", axis="locale")
    lost = Case(test=FILE, outcome="error", phase="collect", message="UnicodeDecodeError")

    take(ledger, ask, lost, *cases({"c": "skipped"}))

    assert [(flip.test, flip.case.message) for flip in ledger.flips] == [
        (f"{FILE}::a", "UnicodeDecodeError")
    ]


def test_a_test_that_was_not_asked_for_is_not_missed() -> None:
    ledger = known()
    ask = Ask(Session(seed=1, tests=("c",)), "alone c", axis="alone")
    lost = Case(test=FILE, outcome="error", phase="collect")

    take(ledger, ask, lost, *cases({"c": "skipped"}))

    assert ledger.flips == []


def test_a_module_tear_down_that_always_fails_is_nobodys_flip() -> None:
    ledger = Ledger()

    def ran(*order: str) -> list[Case]:
        ended = Case(test=order[-1], outcome="error", phase="teardown", group=FILE)
        return [Case(test=test, outcome="passed", group=FILE) for test in order[:-1]] + [ended]

    take(ledger, same(), *ran("a", "b"))
    take(ledger, Ask(Session(seed=1, tests=("b", "a")), "reverse", axis="order"), *ran("b", "a"))
    take(ledger, Ask(Session(seed=1, tests=("a",)), "alone", axis="alone"), *ran("a"))

    assert ledger.flips == []
    assert ledger.groups == {"a": FILE, "b": FILE}


def test_the_second_execution_is_compared_as_well() -> None:
    ledger = known()
    ask = Ask(Session(seed=1, twice="each"), "twice", axis="twice")
    again = Case(test=f"{FILE}::a", outcome="failed", repeat=1)

    take(ledger, ask, *cases(USUAL), again)

    assert [(flip.test, flip.repeat) for flip in ledger.flips] == [(f"{FILE}::a", 1)]


def test_base_and_probes_are_not_mixed_in() -> None:
    ledger = known()

    take(ledger, same()._replace(tree="base"), *cases({f"{FILE}::a": "failed"}))
    take(ledger, Ask(Session(seed=1), "probe"), *cases({f"{FILE}::a": "failed"}))

    assert ledger.base_sessions == 1
    assert (ledger.sessions, ledger.flips, ledger.contradicted) == (3, [], [])


def test_how_long_a_session_takes() -> None:
    ledger = known()

    assert ledger.weigh(same()) == 1.0
    assert round(ledger.overhead, 3) == 0.7
    assert round(ledger.weigh(Ask(Session(seed=1, tests=("c",)), "c")), 3) == 0.8
    assert round(ledger.weigh(Ask(Session(seed=1, tests=("c",), twice="each"), "c")), 3) == 0.9


def test_files_that_cannot_be_collected_are_in_no_order() -> None:
    ledger = Ledger()
    lost = Case(test=FILE, outcome="error", phase="collect")

    take(ledger, same(), lost, *cases({"c": "passed"}))

    assert ledger.tests == (FILE, "c")
    assert ledger.runnable == ("c",)
