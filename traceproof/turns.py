"""What a trace holds, as objects: agents, their model calls, the tools they called.

Everything here is a view of a span. Content (messages, arguments, results, bodies) is read from the
file when it is asked for, and not kept. Times are in UTC, durations in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from traceproof import spanfacts
from traceproof.recorder import semconv
from traceproof.recorder.errors import DamagedTrace
from traceproof.recorder.messages import Part
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event
from traceproof.recorder.summary import has_failed, is_asked, is_turn
from traceproof.shellcommands import Command, commands_under
from traceproof.spanobjects import Message, Prompt, Source, Timed, Usage, moment, usage_of


class ToolCall(Timed):
    """A tool call, from the model's asking for it to the result that the model got to see."""

    @property
    def id(self) -> str:
        """The id that the model gave it, or the recorder where the model gave none."""
        return self.text_of(semconv.TOOL_CALL_ID)

    @property
    def name(self) -> str:
        """The tool."""
        return self.text_of(semconv.TOOL_NAME)

    @property
    def arguments(self) -> Any:
        """What the model passed: decoded, or the text as it is where that is not JSON."""
        text = self.get(semconv.TOOL_CALL_ARGUMENTS)
        try:
            return msgspec.json.decode(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            return text

    @property
    def result(self) -> str | None:
        """What the tool answered, as text; None where no answer was seen."""
        value = self.get(semconv.TOOL_CALL_RESULT)
        return value if isinstance(value, str) else None

    @property
    def is_error(self) -> bool | None:
        """Whether the agent said that the tool failed; None where it does not say."""
        value = self.own.attributes.get(semconv.TOOL_IS_ERROR)
        return value if isinstance(value, bool) else None

    @property
    def state(self) -> str:
        """Say `answered`, `unanswered`, or `pending`."""
        return "pending" if self.is_pending else self.text_of(semconv.TOOL_STATE)

    @property
    def join(self) -> str:
        """How the result was tied to the call: `exact` by id, or `inferred`."""
        return self.text_of(semconv.JOIN)

    @property
    def approval(self) -> str:
        """How it was allowed: `auto`, `granted`, `denied`, `bypassed`, or "" if not known."""
        return self.text_of(semconv.TOOL_APPROVAL)

    @property
    def commands(self) -> list[Command]:
        """The shell commands that ran for it, in order of time."""
        return commands_under(self.source, self.span_id)

    @property
    def parts(self) -> list[ToolCall]:
        """The calls of a server's tools (MCP) that it came to."""
        spans = self.source.tree.children(self.span_id, "execute_tool")
        return [ToolCall(self.source, span) for span in spans if not is_asked(span)]

    def sub_agents(self) -> list[Agent]:
        """Return the agents that it started."""
        return agents_under(self.source, self.span_id)


class Turn(Timed):
    """A model call: what went in, what came out, and what it asked for."""

    @property
    def model(self) -> str:
        """The model that answered, else the one that was asked."""
        return self.text_of(semconv.RESPONSE_MODEL) or self.text_of(semconv.REQUEST_MODEL)

    @property
    def provider(self) -> str:
        """The provider, `anthropic` for instance."""
        return self.text_of(semconv.PROVIDER_NAME)

    @property
    def purpose(self) -> str:
        """Why the agent made it: `main`, or a side call's purpose (`title`, `quota`, …)."""
        return spanfacts.purpose(self.own)

    @property
    def state(self) -> str:
        """How it ended: `complete`, `cut`, `refused`, `failed`, `unrecorded`, or `pending`."""
        return "pending" if self.is_pending else self.text_of(semconv.CALL_STATE)

    @property
    def failed(self) -> bool:
        """Whether it ended without its answer, or with half of it."""
        return has_failed(self.own.attributes)

    @property
    def error(self) -> str:
        """What went wrong, "" if nothing did."""
        return ": ".join(filter(None, (self.text_of(semconv.ERROR_TYPE), self.own.status_message)))

    @property
    def retry_of(self) -> str:
        """The span id of the call that this one repeats, or ""."""
        links = (x for x in self.own.links if x.attributes.get(semconv.LINK_TYPE) == "retry_of")
        return next((link.span_id for link in links), "")

    @property
    def input(self) -> list[Message]:
        """The whole conversation that was sent, without the system prompt."""
        return self._messages(semconv.INPUT_MESSAGES)

    @property
    def output(self) -> list[Message]:
        """The answer: nearly always one message."""
        return self._messages(semconv.OUTPUT_MESSAGES)

    @property
    def text(self) -> str:
        """What the answer says, thinking and tools left out."""
        return "\n".join(message.text for message in self.output if message.text)

    @property
    def system(self) -> list[Part]:
        """The system prompt, in parts."""
        return self._parts(semconv.SYSTEM_INSTRUCTIONS)

    @property
    def tools(self) -> list[Part]:
        """The tools that the model could call: name, description, parameters."""
        return self._parts(semconv.TOOL_DEFINITIONS)

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls that it asked for, in the order in which it asked."""
        spans = self.source.tree.requested(self.span_id)
        if len(spans) > 1:
            order = self._asked()
            spans.sort(
                key=lambda tool: order.get(str(tool.attributes.get(semconv.TOOL_CALL_ID)), 0)
            )
        return [ToolCall(self.source, span) for span in spans]

    def _asked(self) -> dict[str, int]:
        """Return the place of each tool call in the answer, none where that is lost."""
        try:
            told = self.source.content.with_only(self.own, semconv.OUTPUT_MESSAGES)
        except DamagedTrace:
            return {}
        return spanfacts.asked(told)

    @property
    def usage(self) -> Usage | None:
        """Tokens; None where the provider did not say."""
        return usage_of(self.own)

    @property
    def cost(self) -> float | None:
        """US dollars at list price; None where the price or the tokens are not known."""
        return spanfacts.cost(self.own)

    @property
    def finish_reasons(self) -> list[str]:
        """Why the model stopped: `stop`, `tool_call`, `length`, …; one a choice."""
        value = self.own.attributes.get(semconv.FINISH_REASONS, [])
        return [str(reason) for reason in value] if isinstance(value, list) else []

    @property
    def time_to_first_chunk(self) -> float | None:
        """Seconds until the answer began."""
        value = self.own.attributes.get(semconv.TIME_TO_FIRST_CHUNK)
        return float(value) if isinstance(value, (int, float)) else None

    @property
    def request_body(self) -> bytes:
        """The bytes that were sent, as they were; secrets in them are masked."""
        return self.bytes_of(semconv.REQUEST_BODY)

    @property
    def response_body(self) -> bytes:
        """The bytes that came back, as they came; secrets in them are masked."""
        return self.bytes_of(semconv.RESPONSE_BODY)

    def _messages(self, name: str) -> list[Message]:
        return msgspec.json.decode(self.list_of(name), type=list[Message])

    def _parts(self, name: str) -> list[Part]:
        return msgspec.json.decode(self.list_of(name), type=list[dict[str, Any]])


class Agent(Timed):
    """An agent: the session's own, or one that it started."""

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.text_of(semconv.AGENT_NAME)

    @property
    def version(self) -> str:
        """The agent's version, or "" where it is not known."""
        return self.text_of(semconv.AGENT_VERSION)

    @property
    def join(self) -> str:
        """How a sub-agent was tied to the call that started it: `exact` or `inferred`."""
        return self.text_of(semconv.JOIN)

    @property
    def prompts(self) -> list[Prompt]:
        """What was said to it, in order."""
        events = self.source.content.with_only(self.own, spanfacts.PROMPT).events
        return [_prompt(event) for event in events if event.name == PROMPT_EVENT]

    def turns(self) -> Iterator[Turn]:
        """Yield its turns: the calls that were answered in full and were no side calls."""
        return (turn for turn in self.calls() if is_turn(turn.own.attributes))

    def calls(self) -> Iterator[Turn]:
        """Yield all its model calls, side calls and failed ones too, in order of time."""
        spans = self.source.tree.children(self.span_id, "chat")
        return (Turn(self.source, span) for span in spans)

    def tool_calls(self) -> Iterator[ToolCall]:
        """Yield all its tool calls, in order of time."""
        spans = self.source.tree.children(self.span_id, "execute_tool")
        return (ToolCall(self.source, span) for span in spans)

    @property
    def own_commands(self) -> list[Command]:
        """The shell commands that it ran for itself, asked by no tool call."""
        return commands_under(self.source, self.span_id)

    def sub_agents(self) -> list[Agent]:
        """Return the agents that it started, by a tool call or otherwise."""
        under = agents_under(self.source, self.span_id)
        for tool in self.tool_calls():
            under += tool.sub_agents()
        return sorted(under, key=lambda agent: agent.started)

    def conversation(self) -> list[Message]:
        """Return its conversation as it stood at the end: the last turn's input and answer."""
        turns = list(self.turns())
        return [*turns[-1].input, *turns[-1].output] if turns else []


def agents_under(source: Source, span_id: str) -> list[Agent]:
    """Return the agents right under a span."""
    spans = source.tree.children(span_id, "invoke_agent") if span_id else []
    return [Agent(source, span) for span in spans]


def _prompt(event: Event) -> Prompt:
    return Prompt(str(event.attributes.get(spanfacts.PROMPT, "")), moment(event.time))
