"""What a view reads of one span: texts, tool calls, tokens, price, and what must be noted.

Pure: from a span to plain values. `traceproof.view` makes a tree of many.
"""

from __future__ import annotations

from typing import Any

import msgspec

from traceproof.recorder import prices, semconv
from traceproof.recorder.agents.base import MAIN
from traceproof.recorder.span import Attributes, Span

FACTS = (
    semconv.AGENT_NAME,
    semconv.AGENT_VERSION,
    semconv.CONVERSATION_ID,
    semconv.TASK_ID,
    semconv.TASK_TYPE,
    semconv.SCENARIO,
    semconv.ORIGIN,
    semconv.IMPORT_SOURCE,
    semconv.IMPORT_MISSING,
    semconv.IMPORT_PROBLEMS,
    semconv.CONSENT,
    semconv.VCS_URL,
    semconv.VCS_REVISION,
    semconv.VCS_BRANCH,
    semconv.VCS_STATE,
    semconv.VCS_CAP,
    semconv.PROCESS_COMMAND_ARGS,
    semconv.PROCESS_WORKING_DIRECTORY,
    semconv.PROCESS_EXIT_CODE,
    semconv.RECORDING_MODE,
    semconv.RECORDING_LOST,
    semconv.SHELL_HOOKS,
    semconv.SHELL_UNHOOKED,
    semconv.SNAPSHOT_PROBLEM,
)
"""The root's attributes that a view repeats."""

PROMPT = "content"
"""On a prompt's event: what the user said."""

CONTENT = (
    semconv.OUTPUT_MESSAGES,
    semconv.TOOL_CALL_ARGUMENTS,
    semconv.TOOL_CALL_RESULT,
    semconv.PROCESS_COMMAND_ARGS,
    semconv.COMMAND_SCRIPT,
    semconv.COMMAND_STDOUT,
    semconv.COMMAND_STDERR,
    semconv.COMMAND_OUTPUT,
    semconv.SNAPSHOT_DIFF,
    semconv.TASK_CONTRACT,
    semconv.WORKSPACE_DIFF,
    PROMPT,
)
"""The attributes of spans and events whose content a view shows."""

COMMAND, TEST, SERVER = "command", "test", "mcp"
"""Spans that have no `gen_ai.operation.name`, and are no HTTP calls."""

_READ = frozenset(
    (
        *FACTS,
        *CONTENT,
        *(semconv.REF + name for name in CONTENT),
        semconv.COMMAND_FAULT,
        semconv.COMMAND_FOR,
        semconv.COMMAND_LOST,
        semconv.COMMAND_MERGED,
        semconv.COMMAND_OUTLIVED,
        semconv.COMMAND_SIGNAL,
        semconv.COMMAND_STATE,
        semconv.PROCESS_EXECUTABLE_NAME,
        semconv.TEST_PART,
        semconv.TEST_SOURCE,
        semconv.TEST_SUITE_NAME,
        semconv.TEST_RUN_STATUS,
        semconv.CALL_PROBLEM,
        semconv.CALL_PURPOSE,
        semconv.CALL_STATE,
        semconv.ERROR_TYPE,
        semconv.HTTP_RESEND_COUNT,
        semconv.INPUT_TOKENS,
        semconv.OUTPUT_TOKENS,
        semconv.CACHE_READ_TOKENS,
        semconv.CACHE_CREATION_TOKENS,
        semconv.EVIDENCE,
        semconv.JOIN,
        semconv.MCP_METHOD,
        semconv.MCP_SERVER,
        semconv.OPERATION_NAME,
        semconv.REQUEST_MODEL,
        semconv.RESPONSE_MODEL,
        semconv.SYSTEM_INSTRUCTIONS,
        semconv.TOOL_APPROVAL,
        semconv.TOOL_APPROVAL_FROM,
        semconv.TOOL_APPROVAL_SOURCE,
        semconv.TOOL_CALL_ID,
        semconv.TOOL_DEFINITIONS,
        semconv.TOOL_IS_ERROR,
        semconv.TOOL_NAME,
        semconv.TOOL_STATE,
    )
)


_COUNTS = semconv.TEST_COUNT
"""How the names begin of attributes that a view reads all of."""


class Tokens(msgspec.Struct, omit_defaults=True):
    """Token counts of one call, or summed; `input` includes what was read from a cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0


def lean(span: Span) -> Span:
    """Return a span with what a view reads, and no more: a long trace's spans are many."""
    attributes = {name: span.attributes[name] for name in span.attributes.keys() & _READ}
    attributes |= {
        name: value for name, value in span.attributes.items() if name.startswith(_COUNTS)
    }
    if semconv.OUTPUT_MESSAGES in attributes:
        parts = [_lean_part(part) for part in _parts(span)]
        messages = [{"parts": [part for part in parts if part]}]
        attributes[semconv.OUTPUT_MESSAGES] = msgspec.json.encode(messages).decode()
    return msgspec.structs.replace(span, attributes=attributes)


def said(span: Span) -> str:
    """Return the text of a call's answer, thinking and tool calls left out."""
    parts = _parts(span)
    return "\n".join(str(part.get("content", "")) for part in parts if part.get("type") == "text")


def asked(span: Span) -> dict[str, int]:
    """Number the tool calls of an answer in the order in which it asks for them."""
    ids = [str(part.get("id")) for part in _parts(span) if part.get("type") == "tool_call"]
    return {call_id: number for number, call_id in enumerate(ids)}


def _parts(span: Span) -> list[dict[str, Any]]:
    messages = _json(span.attributes.get(semconv.OUTPUT_MESSAGES))
    parts = [message.get("parts") for message in messages]
    return [
        part
        for several in parts
        if isinstance(several, list)
        for part in several
        if isinstance(part, dict)
    ]


def _lean_part(part: dict[str, Any]) -> dict[str, Any]:
    """Keep of a part what `said` and `asked` read."""
    names = {"text": ("type", "content"), "tool_call": ("type", "id")}.get(str(part.get("type")))
    return {name: part[name] for name in names or () if name in part}


def _json(value: object) -> list[dict[str, Any]]:
    """Decode a JSON array; one that was cut, or is none, holds nothing."""
    try:
        decoded = msgspec.json.decode(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return []
    return [item for item in decoded if isinstance(item, dict)] if isinstance(decoded, list) else []


def cut(attributes: Attributes, **texts: str) -> list[str]:
    """Name the texts whose attribute holds a beginning: the reference to the whole is still there.

    So it is where the content could not be read at all.
    """
    return [text for text, name in texts.items() if semconv.REF + name in attributes]


def purpose(span: Span) -> str:
    """Return why the agent made a call."""
    return str(span.attributes.get(semconv.CALL_PURPOSE, MAIN))


def operation(span: Span) -> str:
    """Return what kind of span this is.

    `chat`, `execute_tool`, `invoke_agent`, `command`, `test`, `mcp` for a connection to such a
    server, or "" for any other call over HTTP.
    """
    named = span.attributes.get(semconv.OPERATION_NAME)
    if named is None and semconv.PROCESS_EXECUTABLE_NAME in span.attributes:
        return COMMAND
    if named is None and semconv.TEST_SUITE_NAME in span.attributes:
        return TEST
    if named is None and span.name.partition(" ")[0] == SERVER:
        return SERVER
    return str(named or "")


def requested_by(span: Span) -> list[str]:
    """Return the ids of the calls that asked for a tool."""
    return [
        link.span_id
        for link in span.links
        if link.attributes.get(semconv.LINK_TYPE) == "requested_by"
    ]


def approved_by(span: Span) -> str:
    """Return how it is known that a tool call was allowed, and who or what decided."""
    names = (semconv.TOOL_APPROVAL_FROM, semconv.TOOL_APPROVAL_SOURCE)
    told = (span.attributes.get(name) for name in names)
    return ": ".join(str(each) for each in told if each)


def call_notes(span: Span) -> list[str]:
    """Return what a reader must not overlook about a call."""
    notes = []
    resends = span.attributes.get(semconv.HTTP_RESEND_COUNT)
    if resends:
        notes.append(f"retry {resends}")
    if span.attributes.get(semconv.CALL_STATE) == "cut":
        notes.append("stream cut")
    error = span.attributes.get(semconv.ERROR_TYPE)
    if error:
        notes.append(f"{error}: {span.status_message}".rstrip(": "))
    problem = span.attributes.get(semconv.CALL_PROBLEM)
    if problem:
        notes.append(str(problem))
    return notes


def _count(span: Span, name: str) -> int:
    value = span.attributes.get(name, 0)
    return value if isinstance(value, int) else 0


def tokens_of(span: Span) -> Tokens | None:
    """Return the token counts of a call, None where it has none."""
    if not {semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS} & span.attributes.keys():
        return None
    return Tokens(
        input=_count(span, semconv.INPUT_TOKENS),
        output=_count(span, semconv.OUTPUT_TOKENS),
        cache_read=_count(span, semconv.CACHE_READ_TOKENS),
        cache_creation=_count(span, semconv.CACHE_CREATION_TOKENS),
    )


def sum_tokens(spans: list[Span]) -> Tokens:
    """Add up the token counts of calls."""
    counted = [tokens for tokens in map(tokens_of, spans) if tokens is not None]
    return Tokens(
        input=sum(tokens.input for tokens in counted),
        output=sum(tokens.output for tokens in counted),
        cache_read=sum(tokens.cache_read for tokens in counted),
        cache_creation=sum(tokens.cache_creation for tokens in counted),
    )


def sum_costs(costs: list[float | None]) -> float | None:
    """Add up costs; None where one of them is not known, or there is none."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def cost(span: Span) -> float | None:
    """Return the cost of a call in US dollars, None where it is not known."""
    tokens = tokens_of(span)
    if tokens is None:
        return None
    model = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(
        semconv.REQUEST_MODEL, ""
    )
    return prices.cost(
        str(model),
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read=tokens.cache_read,
        cache_write=tokens.cache_creation,
    )
