"""The ten questions that a trace must be able to answer, and which spans answer them.

Pure. A question is answered where the trace tells, even if it tells that there was nothing: that no
check failed is an answer, that no check was recorded is none. Completeness is the share answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from traceproof.evidence import Evidence, spans_of
from traceproof.recorder import semconv
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Span


class Answer(msgspec.Struct, omit_defaults=True):
    """One of the ten questions: `spans` answer it, or `note` says what is missing."""

    number: int
    question: str
    answered: bool
    spans: list[str] = []
    note: str = ""


class _Told(NamedTuple):
    """What a trace says to a question."""

    answered: bool
    spans: Iterable[str] = ()
    note: str = ""


def answers(evidence: Evidence, contract: frozenset[str] = frozenset()) -> list[Answer]:
    """Answer the ten questions.

    Args:
        evidence: what the trace shows.
        contract: the parts of the task's contract that say something: `goal`, `acceptance`, ….
    """
    told = (ask(evidence, contract) for _, ask in _QUESTIONS)
    return [
        Answer(number, question, answer.answered, list(dict.fromkeys(answer.spans)), answer.note)
        for number, ((question, _), answer) in enumerate(zip(_QUESTIONS, told, strict=True), 1)
    ]


def completeness(told: list[Answer]) -> float:
    """Return the share of the questions that are answered, 0 to 1."""
    return sum(answer.answered for answer in told) / len(told)


def _task(evidence: Evidence, contract: frozenset[str]) -> _Told:
    if "goal" in contract:
        return _Told(True, [evidence.root.span_id], "the contract's goal")
    if any(event.name == PROMPT_EVENT for event in evidence.root.events):
        return _Told(True, [evidence.root.span_id], "the first prompt; there is no contract")
    return _Told(False, note="neither a contract nor a prompt: `record --task FILE` takes one")


def _done(evidence: Evidence, contract: frozenset[str]) -> _Told:
    if "acceptance" in contract:
        return _Told(True, [evidence.root.span_id], "the contract's acceptance")
    return _Told(False, note="no acceptance agreed: `record --task FILE` takes a contract")


def _context(evidence: Evidence, _: frozenset[str]) -> _Told:
    seen = [span for span in evidence.chats if evidence.holds(span, semconv.INPUT_MESSAGES)]
    if not seen:
        return _Told(False, note="no model call is there with its messages")
    readers = evidence.readers
    return _Told(
        True, _ids(readers or seen), f"{len(readers)} tool calls that read" * bool(readers)
    )


def _plan(evidence: Evidence, _: frozenset[str]) -> _Told:
    if evidence.plans:
        return _Told(True, _ids(evidence.plans))
    first = evidence.turns[:1]
    if first and not evidence.tools:
        return _Told(True, _ids(first), "it answered without a tool")
    return _Told(False, note="no plan was written down")


def _failure(evidence: Evidence, _: frozenset[str]) -> _Told:
    if evidence.failures:
        first = min(evidence.failures, key=lambda span: span.end)
        return _Told(True, [first.span_id], f"{len(evidence.failures)} failures; this is the first")
    if evidence.told_test_runs:
        return _Told(True, _ids(evidence.told_test_runs), "no check failed")
    return _no_check(evidence)


def _no_check(evidence: Evidence) -> _Told:
    if evidence.test_runs:
        return _Told(False, note="how the checks ended is not known")
    return _Told(False, note=evidence.checks_missing or "no check was run")


def _changed(evidence: Evidence, _: frozenset[str]) -> _Told:
    if evidence.snapshots_missing:
        return _Told(False, note=evidence.snapshots_missing)
    by_hand = _changes_by(evidence, "human")
    others = _changes_by(evidence, "unknown")
    if by_hand:
        more = f"; by whom is not known: {len(others)}" * bool(others)
        return _Told(True, spans_of(by_hand), f"changes by hand: {len(by_hand)}{more}")
    if others:
        return _Told(False, note=f"changes that no tool made, by whom is not known: {len(others)}")
    return _Told(True, [evidence.root.span_id], "nothing while it was recorded")


def _changes_by(evidence: Evidence, actor: str) -> list[tuple[Span, Event]]:
    return [pair for pair in evidence.external_changes if evidence.actor(pair[1]) == actor]


def _why(evidence: Evidence, contract: frozenset[str]) -> _Told:
    changed = _changed(evidence, contract)
    if changed.answered and not _changes_by(evidence, "human"):
        return _Told(True, changed.spans, "nothing was changed")
    return _Told(False, note="a mentor's signal would tell: no annotation is read")


def _checks(evidence: Evidence, _: frozenset[str]) -> _Told:
    if evidence.told_test_runs:
        return _Told(True, _ids(evidence.told_test_runs))
    return _no_check(evidence)


def _later(_: Evidence, __: frozenset[str]) -> _Told:
    return _Told(False, note="an outcome would tell: no annotation is read")


def _where(evidence: Evidence, _: frozenset[str]) -> _Told:
    if evidence.root.attributes.get(semconv.RESERVE_EVAL):
        return _Told(True, [evidence.root.span_id], "reserved for evaluation")
    return _Told(False, note="it has not been routed")


def _ids(spans: Iterable[Span]) -> Iterator[str]:
    return (span.span_id for span in spans)


_QUESTIONS: tuple[tuple[str, Callable[[Evidence, frozenset[str]], _Told]], ...] = (
    ("what the task really was", _task),
    ("what would have counted as done", _done),
    ("what context the agent used", _context),
    ("what it planned", _plan),
    ("where its first output failed", _failure),
    ("what humans changed", _changed),
    ("why they changed it", _why),
    ("what automated checks said", _checks),
    ("whether it was reworked or rolled back later", _later),
    ("where the trace should go", _where),
)
