"""What JUnit reports come to, and which are refused."""

from __future__ import annotations

import re

import pytest

from traceproof.replay import junit
from traceproof.replay.runs import Case

REPORT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="jest tests" tests="4">
  <testsuite name="math" file="math.test.js" time="1,200.5">
    <properties><property name="x" value="y"/></properties>
    <testcase classname="math adds" name="two numbers" time="0.25"/>
    <testcase classname="math" name="divides" time="x">
      <failure message="expected 1&#10;got 2" type="Error">at math.js:3
at run</failure>
    </testcase>
    <testcase name="breaks"><error>TypeError: no</error><system-out>words</system-out></testcase>
    <testcase classname="math" name="later"><skipped/></testcase>
    <testcase classname="math" name="later"/>
  </testsuite>
</testsuites>"""


def test_cases_come_in_their_order() -> None:
    assert junit.read(REPORT) == (
        Case(test="math adds::two numbers", outcome="passed", seconds=0.25),
        Case(
            test="math::divides",
            outcome="failed",
            phase="call",
            message="expected 1",
            detail="at math.js:3\nat run",
        ),
        Case(test="breaks", outcome="error", message="TypeError: no", detail="TypeError: no"),
        Case(test="math::later", outcome="skipped"),
        Case(test="math::later", outcome="passed", repeat=1),
    )


def test_a_suite_may_stand_alone() -> None:
    assert junit.read(b"<testsuite/>") == ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is no XML: no element found: line 1, column 0"),
        (b"<testsuite>", "it is no XML: no element found: line 1, column 11"),
        (b"<html/>", "its first element is <html>, not <testsuites>"),
        (
            b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>',
            "it has a document type, which no JUnit report needs",
        ),
        (
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>',
            "it has a document type, which no JUnit report needs",
        ),
        (b"<testsuite>" * 100, "elements stand in each other more than 64 deep"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        junit.read(data)


def test_a_report_has_no_end_of_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "CASES", 2)

    with pytest.raises(ValueError, match="it has more than 2 cases"):
        junit.read(b"<testsuite>" + b"<testcase/>" * 3 + b"</testsuite>")


def test_times_that_are_none_count_as_nothing() -> None:
    times = ("nan", "-1", "inf", "1e400", "")
    data = "".join(f'<testcase name="{n}" time="{time}"/>' for n, time in enumerate(times))

    cases = junit.read(f"<testsuite>{data}</testsuite>".encode())

    assert {case.seconds for case in cases} == {0.0}
