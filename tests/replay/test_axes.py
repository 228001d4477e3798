from __future__ import annotations

from datetime import UTC, datetime

from traceproof.replay import axes
from traceproof.replay.asks import Answer, Ask, seeds_from
from traceproof.replay.axes import perturbed
from traceproof.replay.ledger import Ledger
from traceproof.replay.options import Options
from traceproof.replay.runs import Case, Session, SessionResult

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC).timestamp()


def ledger(count: int, seconds: float = 1.0, threads: int = 0) -> Ledger:
    made = Ledger()
    cases = tuple(
        Case(test=f"t{k}", outcome="skipped" if k == 1 else "passed", threads=threads)
        for k in range(count)
    )
    session = SessionResult(cases=cases, seconds=seconds)
    made.take(
        Answer(Ask(Session(seed=1), "as is", axis="same"), "final/same/1#0", session), session
    )
    return made


def asks(known: Ledger, **options: object) -> dict[str, list[Ask]]:
    found: dict[str, list[Ask]] = {}
    for ask in perturbed(known, Options(now=NOW, **options), seeds_from(0)):  # type: ignore[arg-type]
        found.setdefault(ask.axis, []).append(ask)
    return found


def test_a_small_suite_is_run_in_every_adjacent_order() -> None:
    found = asks(ledger(10))

    assert [ask.label for ask in found["order"]][:2] == ["reverse", "shuffle 1"]
    assert len(found["order"]) == 1 + 20 + 10
    assert all(sorted(a.session.tests or ()) == sorted(ledger(10).tests) for a in found["order"])
    assert len({ask.session.tests for ask in found["order"]}) == len(found["order"])


def test_a_large_or_slow_one_is_shuffled() -> None:
    assert len(asks(ledger(200))["order"]) == 21
    assert len(asks(ledger(100, seconds=60))["order"]) == 21
    assert len(asks(ledger(200), shuffles=3)["order"]) == 4


def test_one_test_has_no_order() -> None:
    found = asks(ledger(1))

    assert "order" not in found
    assert "alone" not in found


def test_each_test_alone_but_those_that_are_skipped() -> None:
    alone = asks(ledger(5))["alone"]

    assert [ask.session.tests for ask in alone] == [("t0",), ("t2",), ("t3",), ("t4",)]
    assert {ask.session.collect for ask in alone} == {"only"}


def test_of_very_many_some_are_run_alone() -> None:
    slow = ledger(400, seconds=10)

    assert 80 <= len(asks(slow)["alone"]) <= axes.MOST_WORK / 10


def test_random_numbers_are_the_controls() -> None:
    found = asks(ledger(5))

    seeds = {ask.session.seed for axis, some in found.items() if axis != "twice" for ask in some}
    assert seeds == {seeds_from(0)("same", 1)}


def test_what_is_around_the_tests_has_a_box_of_its_own_each_time() -> None:
    found = asks(ledger(5, threads=1), network=True)
    around = [
        ask for axis in found if axis not in ("order", "alone", "twice") for ask in found[axis]
    ]

    assert len({ask.box for ask in around}) == len(around)
    assert {ask.axis for ask in around} == {
        "hash_seed", "clock", "timezone", "locale", "file_order", "network", "threads",
        "slow_cpu", "load",
    }  # fmt: skip
    assert {ask.conditions.load for ask in found["load"]} == {4}


def test_network_only_where_it_is_allowed_and_threads_where_there_are_any() -> None:
    found = asks(ledger(5))

    assert "network" not in found
    assert "threads" not in found


def test_only_the_axes_that_are_wanted() -> None:
    assert set(asks(ledger(5), axes=("alone", "clock"))) == {"alone", "clock"}


def test_moments_at_which_programs_go_wrong() -> None:
    clocks = {ask.value: ask for ask in asks(ledger(5))["clock"]}

    def at(value: str) -> datetime:
        return datetime.fromtimestamp(clocks[value].moment, UTC)

    assert clocks["+12 hours"].conditions.clock == 12 * 3600
    assert clocks["+12 hours"].moment == 0
    assert at("a Sunday") == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert at("the year's last seconds") == datetime(2026, 12, 31, 23, 59, 40, tzinfo=UTC)
    assert at("29 February") == datetime(2028, 2, 29, 12, tzinfo=UTC)
