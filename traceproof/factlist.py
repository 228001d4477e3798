"""The facts that a trace holds, by kind, and those that it lacks, with the reason.

Five kinds: what went in, what the agent did, what the environment said, what a human said, how it
ended. Pure: from the tree of a trace's spans to plain values. `traceproof.questions` asks what can
be learnt from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

import msgspec

from traceproof.commandfacts import OUTPUTS
from traceproof.evidence import UNTOLD, Evidence
from traceproof.recorder import semconv
from traceproof.recorder.humanevents import INTERRUPTION, QUEUED, SLASH_COMMAND
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Span


class Kind(StrEnum):
    """The five kinds of fact."""

    IN = "in"
    DID = "did"
    ENVIRONMENT = "environment"
    HUMAN = "human"
    ENDED = "ended"


class State(StrEnum):
    """Whether a fact is in a trace."""

    THERE = "there"
    NONE = "none"
    """It would have been recorded, and did not occur."""
    MISSING = "missing"


class Fact(msgspec.Struct, omit_defaults=True):
    """One fact: how often it is there and in which spans; else why not."""

    kind: Kind
    name: str
    state: State
    count: int = 0
    spans: list[str] = []
    note: str = ""


class _Rule(NamedTuple):
    """How to find a fact, and what it means that there is none: "" for `none`, else the reason."""

    kind: Kind
    name: str
    find: Callable[[Evidence], Iterable[tuple[str, int]]]
    absent: Callable[[Evidence], str]
    note: Callable[[Evidence], str] = lambda _: ""


def facts(evidence: Evidence) -> list[Fact]:
    """Return every fact of the five kinds, in their order."""
    return [_fact(rule, evidence) for rule in _RULES]


def _fact(rule: _Rule, evidence: Evidence) -> Fact:
    found = list(rule.find(evidence))
    count = sum(number for _, number in found)
    spans = list(dict.fromkeys(span_id for span_id, _ in found))
    if count:
        return Fact(rule.kind, rule.name, State.THERE, count, spans, rule.note(evidence))
    why = rule.absent(evidence)
    return Fact(rule.kind, rule.name, State.MISSING if why else State.NONE, note=why)


# --- finding ------------------------------------------------------------------------------------


def _root_has(*names: str) -> Callable[[Evidence], Iterator[tuple[str, int]]]:
    """Look for attributes (or references to their content) on the session's span."""

    def find(evidence: Evidence) -> Iterator[tuple[str, int]]:
        held = sum(evidence.holds(evidence.root, name) for name in names)
        if held:
            yield evidence.root.span_id, 1

    return find


def _spans(
    choose: Callable[[Evidence], Iterable[Span]], *names: str
) -> Callable[[Evidence], Iterator[tuple[str, int]]]:
    """Count spans of a kind; with names, those that hold one of these attributes."""

    def find(evidence: Evidence) -> Iterator[tuple[str, int]]:
        for span in choose(evidence):
            if not names or any(evidence.holds(span, name) for name in names):
                yield span.span_id, 1

    return find


def _events(*names: str) -> Callable[[Evidence], Iterator[tuple[str, int]]]:
    """Count events on the agents' spans."""

    def find(evidence: Evidence) -> Iterator[tuple[str, int]]:
        for span in evidence.agents:
            number = sum(event.name in names for event in span.events)
            if number:
                yield span.span_id, number

    return find


def _cases(evidence: Evidence) -> Iterator[tuple[str, int]]:
    for run in evidence.test_runs:
        yield run.span_id, max(1, evidence.case_count(run))


def _human_changes(evidence: Evidence) -> Iterator[tuple[str, int]]:
    for span, event in evidence.external_changes:
        if evidence.actor(event) == "human":
            yield span.span_id, 1


def _last_check(evidence: Evidence) -> Iterator[tuple[str, int]]:
    run = evidence.last_test_run
    if run is not None:
        yield run.span_id, 1


# --- what it means that there is none -----------------------------------------------------------


def _never(_: Evidence) -> str:
    return ""


def _because(reason: str) -> Callable[[Evidence], str]:
    return lambda _: reason


def _if_lacking(word: str, reason: str = "") -> Callable[[Evidence], str]:
    """Say why where the source of an imported trace lacks the fact; else it did not occur."""

    def absent(evidence: Evidence) -> str:
        if word in evidence.lacks:
            return UNTOLD
        return reason

    return absent


def _commands(evidence: Evidence) -> str:
    return evidence.commands_missing


def _codes(evidence: Evidence) -> str:
    return UNTOLD if "exit_codes" in evidence.lacks else evidence.commands_missing


def _checks(evidence: Evidence) -> str:
    return evidence.checks_missing


def _diff(evidence: Evidence) -> str:
    return evidence.snapshots_missing or "the end of the session was not recorded"


def _workspace(evidence: Evidence) -> str:
    return evidence.snapshots_missing


def _approvals(evidence: Evidence) -> str:
    if not evidence.tools:
        return ""
    return "the agent did not tell how its tool calls were allowed"


def _exit_notes(evidence: Evidence) -> str:
    unknown = sum(not evidence.has_ended(span) for span in evidence.commands)
    return f"of {unknown} commands it is not known how they ended" if unknown else ""


def _command_notes(evidence: Evidence) -> str:
    inferred = sum(semconv.EVIDENCE in span.attributes for span in evidence.commands)
    return f"{inferred} of them inferred from what was told of calls" if inferred else ""


def _prompt_notes(evidence: Evidence) -> str:
    queued = sum(event.name == QUEUED for span in evidence.agents for event in span.events)
    return f"{queued} were typed while the agent was at work" if queued else ""


def _diff_notes(evidence: Evidence) -> str:
    start, end = map(evidence.root.attributes.get, (semconv.TREE_START, semconv.TREE_END))
    return "nothing was changed" if start and start == end else ""


def _approval_notes(evidence: Evidence) -> str:
    words = [str(span.attributes.get(semconv.TOOL_APPROVAL, "")) for span in evidence.tools]
    told = [f"{words.count(word)} {word}" for word in dict.fromkeys(words) if word]
    return ", ".join(told)


def _check_notes(evidence: Evidence) -> str:
    run = evidence.last_test_run
    if run is None:
        return ""
    status = str(run.attributes.get(semconv.TEST_RUN_STATUS) or "how it ended is not known")
    if evidence.changed_after(run):
        return f"{status}, before the last change"
    return status


_RULES = (
    _Rule(
        Kind.IN, "task", _root_has(semconv.TASK_CONTRACT),
        _because("no contract: `record --task FILE` takes one"),
    ),
    _Rule(Kind.IN, "prompts", _events(PROMPT_EVENT), _because("no prompt was seen")),
    _Rule(
        Kind.IN, "system prompt", _spans(lambda e: e.chats, semconv.SYSTEM_INSTRUCTIONS),
        _if_lacking("system_prompt"),
    ),
    _Rule(
        Kind.IN, "tool definitions", _spans(lambda e: e.chats, semconv.TOOL_DEFINITIONS),
        _if_lacking("tool_definitions"),
    ),
    _Rule(
        Kind.IN, "context read", _spans(lambda e: e.readers, semconv.TOOL_CALL_RESULT), _never
    ),
    _Rule(
        Kind.IN, "repository", _root_has(semconv.VCS_REVISION),
        _if_lacking("repository", "it did not begin in a repository with a commit"),
    ),
    _Rule(Kind.DID, "turns", _spans(lambda e: e.turns), _because("no model call was answered")),
    _Rule(Kind.DID, "plans", _spans(lambda e: e.plans), _never),
    _Rule(Kind.DID, "tool calls", _spans(lambda e: e.tools), _never),
    _Rule(Kind.DID, "edits", _spans(lambda e: e.edits), _workspace),
    _Rule(Kind.DID, "commands", _spans(lambda e: e.commands), _commands, _command_notes),
    _Rule(
        Kind.ENVIRONMENT, "tool results", _spans(lambda e: e.tools, semconv.TOOL_CALL_RESULT),
        _never,
    ),
    _Rule(
        Kind.ENVIRONMENT, "command output",
        _spans(lambda e: e.commands, *OUTPUTS.values()), _commands,
    ),
    _Rule(
        Kind.ENVIRONMENT, "exit codes", _spans(lambda e: filter(e.has_ended, e.commands)),
        _codes, _exit_notes,
    ),
    _Rule(Kind.ENVIRONMENT, "test results", _cases, _checks),
    _Rule(
        Kind.HUMAN, "prompts", _events(PROMPT_EVENT), _because("no prompt was seen"),
        _prompt_notes,
    ),
    _Rule(Kind.HUMAN, "interruptions", _events(INTERRUPTION), _never),
    _Rule(Kind.HUMAN, "commands to the agent", _events(SLASH_COMMAND), _never),
    _Rule(
        Kind.HUMAN, "approvals", _spans(lambda e: e.tools, semconv.TOOL_APPROVAL), _approvals,
        _approval_notes,
    ),
    _Rule(Kind.HUMAN, "changes by hand", _human_changes, _workspace),
    _Rule(Kind.HUMAN, "review", lambda _: (), _because("a review is an annotation: none is read")),
    _Rule(
        Kind.ENDED, "exit code", _root_has(semconv.PROCESS_EXIT_CODE),
        _if_lacking("agent_exit_code", "the end of the session was not recorded"),
    ),
    _Rule(
        Kind.ENDED, "final diff", _root_has(semconv.TREE_END, semconv.WORKSPACE_DIFF), _diff,
        _diff_notes,
    ),
    _Rule(Kind.ENDED, "test status", _last_check, _checks, _check_notes),
)  # fmt: skip
