from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, fromstring

from support import surefire, verdicts
from traceproof.replay.exports import junitxml


def read(made: Any) -> Element:
    return fromstring(junitxml.suite(made, "v.verdict.json"))


def cases(made: Any) -> dict[str, Element]:
    return {case.get("name", ""): case for case in read(made).iter("testcase")}


def tags(case: Element) -> list[str]:
    return [child.tag for child in case]


def test_it_is_as_surefires_schema_has_it() -> None:
    assert list(surefire.faults(read(verdicts.verdict()))) == []


def test_so_it_is_with_hostile_names() -> None:
    made = verdicts.verdict(
        verdicts.victim(verdicts.EVIL), verdicts.steady("\udcff\ufffe", message="\x00" * 3)
    )

    assert list(surefire.faults(read(made))) == []
    assert any("<script>" in case.get("classname", "") for case in cases(made).values())


def test_the_counts_are_those_of_the_usual_outcomes() -> None:
    suite = read(verdicts.verdict())
    names = ("tests", "failures", "errors", "skipped", "flakes")

    assert [suite.get(name) for name in names] == ["7", "1", "1", "1", "2"]
    told = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert told["traceproof.class"] == "steady"
    assert told["git.commit"] == verdicts.COMMIT


def test_a_test_that_passes_in_the_end_has_flaky_failures() -> None:
    case = cases(verdicts.verdict())["test_victim[1-a.b]"]

    assert tags(case) == ["flakyFailure"] * 3 + ["system-out"]
    assert case.get("classname") == "tests.test_a.TestB"
    repeat = "repeat: traceproof verify v.verdict.json --repeat 'final/probe/1#0'"
    assert repeat in case.findtext("system-out", "")


def test_a_test_that_fails_in_the_end_has_a_failure() -> None:
    case = cases(verdicts.verdict(verdicts.random_one("t.a", usual="failed")))["a"]

    assert tags(case) == ["failure", "system-out"]  # its flips are passes


def test_failures_errors_and_skips_are_told_apart() -> None:
    found = cases(verdicts.verdict())

    assert tags(found["test_wrong"]) == ["failure"]
    assert tags(found["tests/test_c.py"]) == ["error"]
    assert tags(found["test_off"]) == ["skipped"]
    assert tags(found["test_fixed"]) == []
    assert found["test_wrong"][0].get("type") == "ValueError"
