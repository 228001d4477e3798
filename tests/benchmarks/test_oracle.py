"""The oracle's small tests, run again and again in local boxes: is each called what it is?"""

from __future__ import annotations

import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from support import localboxes
from traceproof.replay.boxes import Boxes
from traceproof.replay.options import Options
from traceproof.replay.probing import can_be_had
from traceproof.replay.runner import Runner
from traceproof.replay.runs import Axis
from traceproof.replay.runsfile import RunsWriter
from traceproof.replay.testcommand import TestCommand
from traceproof.replay.verdict import Budgets, Cause, TestVerdict, Verdict
from traceproof.replay.verification import Verification
from traceproof.replay.verify import drive
from traceproof.sandbox.local.backend import LocalSandbox

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / "benchmarks" / "oracle"
COMMAND = TestCommand(argv=("python3", "-m", "pytest", "-q"))
VICTIM = "tests/test_a.py::test_victim"


def _load() -> ModuleType:
    # With the root on the path, the folders of our packages would go by their bare names.
    spec = spec_from_file_location("traceproof_benchmarks_oracle", ROOT / "benchmarks/_oracle.py")
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = _load()


class Quiet:
    def planned(self, *_: Any) -> None:
        """Nobody is told."""

    began = ended = again = planned


def verify(tmp_path: Path, names: tuple[str, ...], axes: tuple[Axis, ...]) -> Verdict:
    source = ORACLE / "synthetic"
    paths = [source / "shop.py", *(source / "tests").rglob("*.txt")]
    paths += [source / "tests" / name for name in names]
    files = {str(path.relative_to(source)): path.read_text() for path in paths}
    with localboxes.image(files, python=True) as image:
        boxes = Boxes(LocalSandbox())
        options = Options(
            runs=10,
            max_flake_rate=0.3,
            base=False,
            axes=can_be_had(axes, LocalSandbox()),
            shuffles=2,
            now=time.time(),
            timezones=("America/New_York",),
            command=COMMAND.argv,
        )
        verification = Verification(options)
        runner = Runner(boxes, {"final": image}, COMMAND)
        with RunsWriter(tmp_path / "runs", {}) as runs:
            drive(verification, runner.run, boxes, runs, Quiet(), jobs=2)
    return verification.verdict()


def compare(verdict: Verdict, causes: set[str]) -> tuple[dict[str, str], list[str]]:
    """Return the labels with those causes that are not recognised, and alarms, of what was run."""
    score = oracle.score(oracle.subjects()["synthetic"], verdict)
    names = {test.test for test in verdict.tests}
    wanted = [
        item
        for item in score.found
        if item.label.test in names and causes & {*item.label.cause} and item.shown
    ]
    assert wanted
    missed = {item.label.test: item.why for item in wanted if not item.recognised}
    return missed, [alarm.test for alarm in score.alarms]


@pytest.mark.timeout(900)  # a hundred runs of pytest, on a machine that may be busy
def test_order_and_repetition(tmp_path: Path) -> None:
    verdict = verify(tmp_path, ("test_order.py", "test_repetition.py"), ("order", "twice"))

    assert compare(verdict, {"order", "repetition"}) == ({}, [])


@pytest.mark.timeout(900)
def test_what_is_around_the_tests(tmp_path: Path) -> None:
    names = ("test_surroundings.py", "test_failures.py")

    verdict = verify(tmp_path, names, ("hash_seed", "clock", "timezone", "file_order"))

    assert compare(verdict, {"hash_seed", "time", "timezone", "filesystem_order"}) == ({}, [])


def test_each_small_test_is_labelled_or_steady() -> None:
    for name in ("synthetic", "rare"):
        subject = oracle.subjects()[name]
        functions = {
            f"tests/{path.name}::{line.split('(')[0].removeprefix('def ')}"
            for path in (ORACLE / name / "tests").glob("test_*.py")
            for line in path.read_text().splitlines()
            if line.startswith("def test_")
        }
        known = [*subject.labels, *(test for test in subject.steady if "::Test" not in test)]
        assert sorted(known) == sorted(functions)


def test_the_published_labels() -> None:
    counts = {name: len(found.labels) for name, found in oracle.subjects().items()}

    assert counts | {"six": 1, "freezegun": 15, "accessify": 12} == counts


def subject(**of: Any) -> Any:
    label = {"test": VICTIM, "class": ["fragile"], "cause": ["order"]} | of
    told = {"name": "a", "as_of": "", "tests": "pytest", "runs": 0, "network": False}
    return msgspec.convert(told | {"published": True, "label": [label]}, oracle.Subject)


def verdict_of(*tests: TestVerdict) -> Verdict:
    budgets = Budgets(max_flake_rate=0.05, confidence=0.95, runs=59, needed=59, seconds=0)
    return Verdict(class_="fragile", reason="", task="repair", budgets=budgets, seed=0, tests=tests)


def one(name: str, class_: Any, *causes: Cause) -> TestVerdict:
    return TestVerdict(
        test=name, class_=class_, outcome="passed", runs=59, bound=0.05, causes=causes
    )


def after(*others: str) -> Cause:
    return Cause(name="order", text="fails after another", axis="order", others=(others,))


@pytest.mark.parametrize(
    ("label", "cause", "right"),
    [
        ({}, after("a"), True),
        ({"others": ["b", "a"]}, after("a", "b"), True),
        ({"others": ["b"]}, after("a", "b"), False),
        ({"others": ["b"], "role": "brittle"}, after("b"), False),
        ({}, Cause(name="order", text="", axis="order"), False),
        ({"cause": ["repetition", "order"]}, after("a"), True),
        ({"cause": ["time"]}, after("a"), False),
        ({"class": ["flaky"]}, after("a"), False),
    ],
)
def test_a_label_is_recognised(label: dict[str, Any], cause: Cause, right: bool) -> None:
    score = oracle.score(subject(**label), verdict_of(one(VICTIM, "fragile", cause)))

    assert [item.recognised for item in score.found] == [right]
    assert bool(list(oracle.complaints([score], everything=True))) is not right


def test_what_nobody_could_see_here_is_no_miss_but_where_all_is_held() -> None:
    score = oracle.score(subject(needs="de_DE.UTF-8"), verdict_of(one(VICTIM, "steady")))

    assert list(oracle.complaints([score], everything=False)) == []
    assert list(oracle.complaints([score], everything=True)) == [
        f"a: {VICTIM} is not recognised: steady: no cause"
    ]


def test_one_false_alarm_in_ten_is_too_many_unless_it_was_shown_again() -> None:
    others = [one(f"t::{number}", "steady") for number in range(9)]
    tests = [one(VICTIM, "fragile", after("a")), one("t::x", "fragile", after("a")), *others]
    score = oracle.score(subject(), verdict_of(*tests))

    assert oracle.false_alarms([score]) == (1, 10)
    assert list(oracle.complaints([score], everything=True)) == [
        "1 of 10 unlabelled tests are called unsteady: more than 1%"
    ]
    assert [(row.cause, row.recall, row.precision) for row in oracle.table([score])] == [
        ("order", 1.0, 0.5)
    ]

    shown = tuple(msgspec.structs.replace(alarm, reproduced=True) for alarm in score.alarms)
    score = msgspec.structs.replace(score, alarms=shown)

    assert list(oracle.complaints([score], everything=True)) == []
    assert [row.precision for row in oracle.table([score])] == [1.0]
