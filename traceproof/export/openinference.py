"""OpenInference attributes for our spans: what Arize Phoenix and its kin show.

They stand beside the names of the OpenTelemetry conventions, or in their place. Content is spread
over numbered attributes there (`llm.input_messages.0.message.content`), see
`traceproof.export.openinference_messages`.

Source: the specification in Arize-ai/openinference (spec/semantic_conventions.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from traceproof import commandfacts, spanfacts
from traceproof.export import openinference_messages
from traceproof.recorder import semconv
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, AttributeValue, Span

CONTENT = frozenset(
    {
        semconv.INPUT_MESSAGES,
        semconv.OUTPUT_MESSAGES,
        semconv.SYSTEM_INSTRUCTIONS,
        semconv.TOOL_DEFINITIONS,
        semconv.TOOL_CALL_ARGUMENTS,
        semconv.TOOL_CALL_RESULT,
    }
)
"""What OpenInference says in its own way, and says all of."""

_JSON, _TEXT = "application/json", "text/plain"
_KINDS = {
    "chat": "LLM",
    "execute_tool": "TOOL",
    "invoke_agent": "AGENT",
    spanfacts.COMMAND: "TOOL",
    spanfacts.TEST: "EVALUATOR",
    spanfacts.SERVER: "CHAIN",
}
_REQUEST = "gen_ai.request."
_PROVIDERS = {
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "mistral_ai": "mistralai",
    "x_ai": "xai",
}
"""Providers that OpenInference calls otherwise."""

_COUNTS = {
    semconv.INPUT_TOKENS: "llm.token_count.prompt",
    semconv.OUTPUT_TOKENS: "llm.token_count.completion",
    semconv.CACHE_READ_TOKENS: "llm.token_count.prompt_details.cache_read",
    semconv.CACHE_CREATION_TOKENS: "llm.token_count.prompt_details.cache_write",
    semconv.REASONING_TOKENS: "llm.token_count.completion_details.reasoning",
}


class Names(StrEnum):
    """Whose names a span carries for its content."""

    genai = "genai"
    openinference = "openinference"
    both = "both"


def spoken(span: Span, names: Names, answer: str = "") -> Span:
    """Return a span, whole and in the pinned conventions' words, with the names that are wanted.

    With `openinference` the conventions' content is left out, which it says as well; the rest of
    them stays. `answer` is what an agent said last, for its own span.
    """
    if names is Names.genai:
        return span
    kept = span.attributes
    if names is Names.openinference:
        kept = {name: value for name, value in kept.items() if name not in CONTENT}
    return msgspec.structs.replace(span, attributes={**kept, **attributes_of(span, answer)})


def attributes_of(span: Span, answer: str = "") -> Attributes:
    """Return what OpenInference has to say of a span; of one it has no word for, nothing."""
    operation = spanfacts.operation(span)
    if operation not in _KINDS:
        return {}
    found: Attributes = {"openinference.span.kind": _KINDS[operation]}
    conversation = span.attributes.get(semconv.CONVERSATION_ID)
    if conversation:
        found["session.id"] = conversation
    match operation:
        case "chat":
            return found | _call(span.attributes)
        case "execute_tool":
            return found | _tool(span.attributes)
        case spanfacts.COMMAND:
            return found | _command(span)
        case spanfacts.TEST:
            suite = span.attributes.get(semconv.TEST_SUITE_NAME)
            outcome = commandfacts.outcome(span)
            return found | _value("input", suite) | _value("output", outcome)
        case spanfacts.SERVER:
            return found
        case _:
            return found | _agent(span, answer)


def _call(attributes: Attributes) -> Attributes:
    provider = str(attributes.get(semconv.PROVIDER_NAME, ""))
    model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    parameters = {
        name.removeprefix(_REQUEST): value
        for name, value in attributes.items()
        if name.startswith(_REQUEST) and name != semconv.REQUEST_MODEL
    }
    found: Attributes = {}
    if model:
        found["llm.model_name"] = model
    if provider:
        found["llm.provider"] = _PROVIDERS.get(provider, provider)
    if parameters:
        found["llm.invocation_parameters"] = msgspec.json.encode(parameters).decode()
    reasons = attributes.get(semconv.FINISH_REASONS)
    if isinstance(reasons, list) and len(reasons) == 1:
        found["llm.finish_reason"] = reasons[0]
    return found | _tokens(attributes) | openinference_messages.attributes_of(attributes)


def _tokens(attributes: Attributes) -> Attributes:
    found: Attributes = {
        said: attributes[name] for name, said in _COUNTS.items() if name in attributes
    }
    prompt, completion = (
        attributes.get(name) for name in (semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS)
    )
    if isinstance(prompt, int) and isinstance(completion, int):
        found["llm.token_count.total"] = prompt + completion
    return found


def _tool(attributes: Attributes) -> Attributes:
    found: Attributes = {}
    for name, said in (
        (semconv.TOOL_NAME, "tool.name"),
        (semconv.TOOL_CALL_ID, "tool.id"),
        (semconv.TOOL_CALL_ARGUMENTS, "tool.parameters"),
    ):
        if name in attributes:
            found[said] = attributes[name]
    return (
        found
        | _value("input", attributes.get(semconv.TOOL_CALL_ARGUMENTS))
        | _value("output", attributes.get(semconv.TOOL_CALL_RESULT))
    )


def _command(span: Span) -> Attributes:
    outputs = (span.attributes.get(name) for name in commandfacts.OUTPUTS.values())
    said = "\n".join(filter(None, map(commandfacts.text_of, outputs)))
    return {
        "tool.name": str(span.attributes.get(semconv.PROCESS_EXECUTABLE_NAME, "")),
        **_value("input", commandfacts.script_of(span)),
        **_value("output", said),
    }


def _agent(span: Span, answer: str) -> Attributes:
    prompts = [
        str(event.attributes[spanfacts.PROMPT])
        for event in span.events
        if event.name == PROMPT_EVENT and spanfacts.PROMPT in event.attributes
    ]
    found: Attributes = {}
    name = span.attributes.get(semconv.AGENT_NAME)
    if name:
        found["agent.name"] = name
    if prompts:
        found |= {"input.value": prompts[0], "input.mime_type": _TEXT}
    if answer:
        found |= {"output.value": answer, "output.mime_type": _TEXT}
    return found


def _value(side: str, value: AttributeValue | None) -> Attributes:
    """Say what went in or came out, and whether it is JSON."""
    if not isinstance(value, str):
        return {}
    kind = _JSON if isinstance(_decoded(value), (dict, list)) else _TEXT
    return {f"{side}.value": value, f"{side}.mime_type": kind}


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
