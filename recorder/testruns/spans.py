"""Makes `test` spans of runs: one a run, one event a case, more spans where there are very many.

Pure. What the attributes mean is in docs/trace-format.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Span, StatusCode, new_span_id
from traceproof.recorder.testruns.cases import Case, Run, Verdict

MAX_EVENTS = 5000
"""Cases on one span; the further ones are on spans below it, so that no line of a trace is huge."""

MAX_MESSAGE = 2000
MAX_NAME = 2000
"""Characters of a case's message and name; what the tool wrote stands in the command's output."""

_RESULTS = {True: "pass", False: "fail"}


def run_spans(
    run: Run, *, trace_id: str, parent_id: str, source: str, more: Attributes | None = None
) -> list[Span]:
    """Return a run's spans, the one with the counts first.

    Args:
        run: The run; its times must be known.
        trace_id: The trace.
        parent_id: The span of the command that ran it.
        source: How it was learned: `plugin`, `output`, `exit_code`.
        more: Further attributes of the first span.
    """
    first = Span(
        trace_id=trace_id,
        span_id=new_span_id(),
        name=f"test {run.framework}",
        parent_id=parent_id,
        start=run.started,
        end=max(run.ended, run.started),
        attributes={**_attributes(run, source), **(more or {})},
        events=_events(run, run.cases[:MAX_EVENTS]),
        status=StatusCode.ERROR if _failed(run.verdict) else StatusCode.UNSET,
    )
    rest = range(MAX_EVENTS, len(run.cases), MAX_EVENTS)
    return [first, *(_part(first, run, start) for start in rest)]


def _part(first: Span, run: Run, start: int) -> Span:
    """Return a span with further cases, below the first."""
    names = (semconv.TEST_SUITE_NAME, semconv.TEST_SOURCE, semconv.EVIDENCE)
    kept = {name: first.attributes[name] for name in names if name in first.attributes}
    return Span(
        trace_id=first.trace_id,
        span_id=new_span_id(),
        name=first.name,
        parent_id=first.span_id,
        start=first.start,
        end=first.end,
        attributes={**kept, semconv.TEST_PART: start // MAX_EVENTS + 1},
        events=_events(run, run.cases[start : start + MAX_EVENTS]),
    )


def _failed(verdict: Verdict | None) -> bool:
    return verdict in (Verdict.FAILURE, Verdict.ABORTED, Verdict.TIMED_OUT)


def _attributes(run: Run, source: str) -> Attributes:
    found: Attributes = {
        semconv.TEST_SUITE_NAME: run.framework,
        semconv.TEST_SOURCE: source,
        semconv.TEST_FRAMEWORK: run.framework,
    }
    if source != "plugin":
        found[semconv.EVIDENCE] = "inferred"
    if run.version:
        found[semconv.TEST_VERSION] = run.version
    if run.verdict:
        found[semconv.TEST_RUN_STATUS] = str(run.verdict)
    if run.seconds is not None:
        found[semconv.TEST_SECONDS] = run.seconds
    found |= {semconv.TEST_COUNT + str(status): number for status, number in run.counts.items()}
    found |= {semconv.TEST_FACT + name: value for name, value in run.facts.items()}
    return found


def _events(run: Run, cases: Sequence[Case]) -> list[Event]:
    return [Event(semconv.TEST_CASE, case.ended or run.ended, _case(case)) for case in cases]


def _case(case: Case) -> Attributes:
    found: Attributes = {
        semconv.TEST_CASE_NAME: _short(case.name, MAX_NAME),
        semconv.TEST_CASE_OUTCOME: str(case.status),
    }
    if case.status.passes is not None:
        found[semconv.TEST_CASE_STATUS] = _RESULTS[case.status.passes]
    if case.seconds is not None:
        found[semconv.TEST_CASE_SECONDS] = case.seconds
    if case.message:
        found[semconv.TEST_CASE_MESSAGE] = _short(case.message, MAX_MESSAGE)
    if case.phase:
        found[semconv.TEST_CASE_PHASE] = case.phase
    if case.attempts > 1:
        found[semconv.TEST_CASE_ATTEMPTS] = case.attempts
    if case.file:
        found[semconv.CODE_FILE] = case.file
    if case.line:
        found[semconv.CODE_LINE] = case.line
    return found


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
