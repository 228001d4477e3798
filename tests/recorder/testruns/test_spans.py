from __future__ import annotations

from traceproof.recorder.span import Span, StatusCode
from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count
from traceproof.recorder.testruns.spans import MAX_EVENTS, MAX_MESSAGE, run_spans


def make(run: Run, source: str = "plugin") -> list[Span]:
    return run_spans(run, trace_id="t" * 32, parent_id="p" * 16, source=source)


def test_a_run_is_a_span_and_a_case_an_event() -> None:
    cases = [
        Case("a", Status.PASSED, 0.5, file="a.py", line=3, ended=15),
        Case("b", Status.ERROR, message="why", phase="setup", attempts=2),
        Case("c", Status.SKIPPED),
    ]
    run = Run("pytest", "9.1", cases, count(cases), verdict=Verdict.FAILURE, started=10, ended=20)
    run.facts = {"seed": 5}

    (span,) = make(run)

    assert (span.name, span.parent_id, span.start, span.end) == ("test pytest", "p" * 16, 10, 20)
    assert span.status is StatusCode.ERROR
    assert span.attributes == {
        "test.suite.name": "pytest",
        "traceproof.test.source": "plugin",
        "traceproof.test.framework": "pytest",
        "traceproof.test.version": "9.1",
        "test.suite.run.status": "failure",
        "traceproof.test.count.passed": 1,
        "traceproof.test.count.error": 1,
        "traceproof.test.count.skipped": 1,
        "traceproof.test.fact.seed": 5,
    }
    assert [(event.name, event.time, event.attributes) for event in span.events] == [
        (
            "test.case",
            15,
            {
                "test.case.name": "a",
                "traceproof.test.case.outcome": "passed",
                "test.case.result.status": "pass",
                "traceproof.test.case.seconds": 0.5,
                "code.file.path": "a.py",
                "code.line.number": 3,
            },
        ),
        (
            "test.case",
            20,
            {
                "test.case.name": "b",
                "traceproof.test.case.outcome": "error",
                "test.case.result.status": "fail",
                "traceproof.test.case.message": "why",
                "traceproof.test.case.phase": "setup",
                "traceproof.test.case.attempts": 2,
            },
        ),
        ("test.case", 20, {"test.case.name": "c", "traceproof.test.case.outcome": "skipped"}),
    ]


def test_what_was_not_observed_says_so() -> None:
    (span,) = make(Run("go"), "output")

    assert span.attributes["traceproof.evidence"] == "inferred"
    assert "test.suite.run.status" not in span.attributes


def test_very_many_cases_are_on_several_spans() -> None:
    cases = [Case(str(number), Status.PASSED) for number in range(2 * MAX_EVENTS + 1)]

    first, second, third = make(Run("pytest", cases=cases, counts=count(cases)))

    assert [len(span.events) for span in (first, second, third)] == [MAX_EVENTS, MAX_EVENTS, 1]
    assert first.attributes["traceproof.test.count.passed"] == len(cases)
    assert {second.parent_id, third.parent_id} == {first.span_id}
    assert (second.attributes["traceproof.test.part"], second.name) == (2, first.name)
    assert "test.suite.run.status" not in third.attributes


def test_long_messages_are_cut() -> None:
    (span,) = make(Run("pytest", cases=[Case("a", Status.FAILED, message="x" * 9999)]))

    message = span.events[0].attributes["traceproof.test.case.message"]
    assert isinstance(message, str)
    assert len(message) == MAX_MESSAGE
