"""What is perturbed, and how: the sessions of each axis.

Random numbers are those of the control in all of them, so that what comes out otherwise does so for
the axis. Whether it does is for `traceproof.replay.causes` to confirm.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from traceproof.replay import orders
from traceproof.replay.asks import Ask, Seeds
from traceproof.replay.ledger import Ledger
from traceproof.replay.options import Options
from traceproof.replay.runs import Axis, Conditions, Session

HASH_SEEDS = range(1, 9)
FILE_ORDERS = range(1, 4)
MOST_IN_DESIGN = 128
"""Tests or groups up to which all orders of a Williams design are run."""
MOST_WORK = 900.0
"""Seconds of work that a design, or running each test alone, may take."""

_Condition = tuple[Axis, str, Conditions]

_SLOW = 0.25
_QUICK_SWITCH, _SLOW_SWITCH = 1e-6, 1.0


def perturbed(ledger: Ledger, options: Options, seeds: Seeds) -> list[Ask]:
    """Return the sessions of every axis that is wanted, what must run alone last."""
    seed = seeds("same", 1)
    wanted = set(options.axes)
    asks: list[Ask] = []
    if "order" in wanted:
        asks += ordered(ledger, options, seeds)
    if "alone" in wanted:
        asks += alone(ledger, seed)
    if "twice" in wanted:
        asks += _twice(seeds)
    session = Session(seed=seed)
    under = [
        _clock(session, value, offset, moment) for value, offset, moment in _clocks(options.now)
    ]
    under += [_under(session, *condition) for condition in _conditions(ledger, options)]
    return asks + [ask._replace(box=str(k)) for k, ask in enumerate(under) if ask.axis in wanted]


def ordered(ledger: Ledger, options: Options, seeds: Seeds) -> list[Ask]:
    """Return the reverse, shuffles, and a Williams design where it is small enough."""
    tests, groups, seed = ledger.runnable, ledger.groups, seeds("same", 1)
    if len(tests) < 2:  # noqa: PLR2004 - one test has one order
        return []
    named = [("reverse", orders.reverse(tests, groups))]
    named += [
        (f"shuffle {k}", orders.shuffle(tests, groups, seeds("shuffle", k)))
        for k in range(1, options.shuffles + 1)
    ]
    size = orders.design_size(tests, groups)
    if size <= MOST_IN_DESIGN + 1 and size * ledger.suite_seconds <= MOST_WORK:
        design = enumerate(orders.design(tests, groups), 1)
        named += [(f"Williams order {k}", order) for k, order in design]
    return [_order(label, order, seed) for label, order in _distinct(named)]


def alone(ledger: Ledger, seed: int) -> list[Ask]:
    """Return each test alone; of very many, as many as there is time for, evenly chosen."""
    tests = ledger.runnable
    asks = [
        Ask(Session(seed=seed, tests=(t,), collect="only"), f"alone {t}", axis="alone", value=t)
        for t in tests
        if ledger.usual(t) != "skipped" and len(tests) > 1
    ]
    work = sum(map(ledger.weigh, asks))
    every = max(1, -(-int(work) // int(MOST_WORK)))
    return asks[::every]


def _twice(seeds: Seeds) -> Iterator[Ask]:
    for k in (1, 2):
        seed = seeds("same", k)
        yield Ask(Session(seed=seed, twice="each"), "each test twice", axis="twice", value="each")
        yield Ask(Session(seed=seed, twice="suite"), "all tests twice", axis="twice", value="suite")


def _conditions(ledger: Ledger, options: Options) -> Iterator[_Condition]:
    for n in HASH_SEEDS:
        yield "hash_seed", f"hash seed {n}", Conditions(hash_seed=n)
    for name in options.timezones:
        yield "timezone", name, Conditions(timezone=name)
    for name in options.locales:
        yield "locale", name, Conditions(locale=name)
    for n in FILE_ORDERS:
        yield "file_order", f"file order {n}", Conditions(file_order=n)
    if options.network:
        yield "network", "with a network", Conditions(network=True)
    if ledger.threads:
        for _ in range(4):
            yield _switching("a switch every microsecond", _QUICK_SWITCH)
        yield _switching("a switch every second", _SLOW_SWITCH)
    for _ in range(2):
        yield "slow_cpu", f"{_SLOW:g} of a CPU", Conditions(cpus=_SLOW)
    busy = 2 * options.cores
    for _ in range(3):
        yield "load", f"{busy} busy processes", Conditions(load=busy)


def _switching(value: str, interval: float) -> _Condition:
    return "threads", value, Conditions(switch_interval=interval)


def _clocks(now: float) -> Iterator[tuple[str, float, float]]:
    """Yield when programs go wrong: in words, seconds ahead, or a moment in Unix seconds."""
    yield "+12 hours", 12 * 3600.0, 0.0
    yield "+190 days", 190 * 86400.0, 0.0
    yield "+3 years", 1096 * 86400.0, 0.0
    here = datetime.fromtimestamp(now, UTC)
    noon = here.replace(hour=12, minute=0, second=0, microsecond=0)
    yield "a Sunday", 0.0, (noon + timedelta(days=7 - here.isoweekday() % 7)).timestamp()
    year = here.year + 1
    yield "the year's last seconds", 0.0, datetime(year, 1, 1, tzinfo=UTC).timestamp() - 20
    leap = next(y for y in range(year, year + 9) if calendar.isleap(y))
    yield "29 February", 0.0, datetime(leap, 2, 29, 12, tzinfo=UTC).timestamp()


def _clock(session: Session, value: str, offset: float, moment: float) -> Ask:
    return _under(session, "clock", value, Conditions(clock=offset))._replace(moment=moment)


def _under(session: Session, axis: Axis, value: str, conditions: Conditions) -> Ask:
    tries = 1 if axis in ("clock", "slow_cpu", "load") else 2
    return Ask(session, value, axis=axis, value=value, conditions=conditions, tries=tries)


def _order(label: str, order: orders.Order, seed: int) -> Ask:
    return Ask(Session(seed=seed, tests=order), label, axis="order", value=label)


def _distinct(named: Iterable[tuple[str, orders.Order]]) -> list[tuple[str, orders.Order]]:
    first: dict[orders.Order, str] = {}
    for label, order in named:
        first.setdefault(order, label)
    return [(label, order) for order, label in first.items()]
