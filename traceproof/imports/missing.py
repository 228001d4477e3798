"""Names for the facts that a recording has and a transcript may lack.

What each means, and which source lacks which, is in docs/importing.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from traceproof.recorder import semconv
from traceproof.recorder.span import Span


class Fact(StrEnum):
    """A fact that a trace may lack because its source does."""

    EXACT_BYTES = "exact_bytes"
    """The bytes of requests and responses, their headers, and when each piece came."""

    EXACT_CONTEXT = "exact_context"
    """The messages as they were sent: what the agent put in between is not in the transcript."""

    SYSTEM_PROMPT = "system_prompt"
    TOOL_DEFINITIONS = "tool_definitions"
    REQUEST_PARAMETERS = "request_parameters"
    SIDE_CALLS = "side_calls"
    """Model calls for titles, summaries and the like."""

    FAILED_CALLS = "failed_calls"
    """Model calls that failed or were cut off, and their retries."""

    CALL_STARTS = "call_starts"
    """When a model call began: the time of the message before it stands for it."""

    TIMES = "times"
    """All times: only the order is known."""

    USAGE = "usage"
    RESULTS_AS_SENT = "results_as_sent"
    """Tool results as the model got to see them."""

    TOOL_CALL_IDS = "tool_call_ids"
    EXIT_CODES = "exit_codes"
    COMMANDS = "commands"
    """Which processes a tool call ran, with what, where, and for how long."""

    COMMAND_STREAMS = "command_streams"
    """The output of commands, stdout and stderr apart, with the times of its pieces."""

    APPROVALS = "approvals"
    AGENT_EXIT_CODE = "agent_exit_code"
    AGENT_VERSION = "agent_version"
    REPOSITORY = "repository"
    """The repository and the commit it began with."""

    WORKSPACE = "workspace"
    """The tree before and after each step."""

    FINAL_DIFF = "final_diff"
    SUB_AGENTS = "sub_agents"
    """What sub-agents did."""


ALWAYS = frozenset(
    {
        Fact.EXACT_BYTES,
        Fact.EXACT_CONTEXT,
        Fact.REQUEST_PARAMETERS,
        Fact.FAILED_CALLS,
        Fact.CALL_STARTS,
        Fact.COMMAND_STREAMS,
        Fact.WORKSPACE,
    }
)
"""What no transcript has."""


class Told(Protocol):
    """What a source has told: the names of all attributes, and whether there was a system prompt.

    `traceproof.imports.assembler.Assembler` is one.
    """

    root: Span
    known: set[str]
    commands: int
    system_prompt: bool
    final_diff: bool


def missing(lacks: frozenset[Fact], told: Told, times: str) -> list[str]:
    """Return the facts that a trace lacks: what its format never tells, and what this one did not.

    What a format never tells, and this transcript tells all the same, is not missing.
    """
    found = (ALWAYS | lacks | set(_untold(told, times))) - set(_told(told, times))
    return sorted(fact.value for fact in found)


_BY_ATTRIBUTE = {
    Fact.USAGE: semconv.INPUT_TOKENS,
    Fact.TOOL_DEFINITIONS: semconv.REF + semconv.TOOL_DEFINITIONS,
    Fact.APPROVALS: semconv.TOOL_APPROVAL,
    Fact.AGENT_VERSION: semconv.AGENT_VERSION,
    Fact.REPOSITORY: semconv.VCS_REVISION,
    Fact.EXIT_CODES: semconv.PROCESS_EXIT_CODE,
}


def _untold(told: Told, times: str) -> Iterator[Fact]:
    known = told.known | set(told.root.attributes)
    for fact, name in _BY_ATTRIBUTE.items():
        if name not in known and (fact is not Fact.EXIT_CODES or told.commands):
            yield fact
    if not told.system_prompt:
        yield Fact.SYSTEM_PROMPT
    if not told.final_diff:
        yield Fact.FINAL_DIFF
    if times == "order":
        yield Fact.TIMES


def _told(told: Told, times: str) -> Iterator[Fact]:
    known = told.known | set(told.root.attributes)
    for fact, name in _BY_ATTRIBUTE.items():
        if name in known:
            yield fact
    if told.system_prompt:
        yield Fact.SYSTEM_PROMPT
    if told.final_diff:
        yield Fact.FINAL_DIFF
    if times != "order":
        yield Fact.TIMES
