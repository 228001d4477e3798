"""A model call as the session knows it: what was asked, what came back, in no provider's words.

The proxy fills these from a dialect; `traceproof.recorder.session` turns them into spans. Content
is already in the trace file, so what stands here are references and the few texts joins need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from traceproof.recorder.span import Attributes


@dataclass(slots=True)
class ToolResult:
    """A tool's answer as the agent sent it back; `content` is text or compact JSON."""

    call_id: str
    content: str
    is_error: bool | None


def _no_results() -> list[ToolResult]:
    return []


def _no_text() -> str:
    return ""


@dataclass(slots=True)
class MessageNote:
    """One message of a request: its hash, and what in it concerns the session.

    One note may stand for equal messages of many requests, so nobody changes it. `answers` are the
    ids of the tool calls whose results it carries, in order. The results themselves are read anew
    each time they are asked for: a long session must not keep its tool output in memory.
    """

    sha256: str
    role: str
    answers: tuple[str, ...] = ()
    prompt: str = ""
    read_results: Callable[[], list[ToolResult]] = field(
        default=_no_results, repr=False, compare=False
    )
    read_text: Callable[[], str] = field(default=_no_text, repr=False, compare=False)
    """Its text, as the results: while its request is at hand."""

    @property
    def results(self) -> list[ToolResult]:
        """What its tools answered, one for each of `answers`; while its request is at hand."""
        return self.read_results()


def lineage(messages: Sequence[MessageNote]) -> list[int]:
    """Name each beginning of a conversation: number `n` stands for the messages up to `n`.

    A later request that goes on from there has the same name in the same place.
    """
    names, name = [], 0
    for note in messages:
        name = hash((name, note.sha256))
        names.append(name)
    return names


@dataclass(slots=True)
class ToolRequest:
    """A tool call that a model asked for; `arguments` is compact JSON, or the text it sent.

    `exact` is False where its id is not the model's, but made from names and order. `in_text`
    is there where it is no call of the API, but taken out of what the model wrote by the agent; it
    tells whether a user's message says what came of it.
    """

    call_id: str
    name: str
    arguments: str
    exact: bool = True
    in_text: Callable[[str], bool] | None = None


@dataclass(slots=True)
class CallRequest:
    """A model call as it was asked; `started` in Unix nanoseconds.

    `attributes` are the span's own (provider, model, parameters, refs to content). `agent_id` is
    empty for the main agent. `trace_parent` is the W3C header the agent sent with it, if any, and
    `thread_id` what the agent calls itself in the environment of its commands.
    """

    started: int
    model: str
    attributes: Attributes
    messages: list[MessageNote]
    purpose: str = "main"
    conversation_id: str = ""
    agent_id: str = ""
    parent_agent_id: str = ""
    trace_parent: str = ""
    thread_id: str = ""


@dataclass(slots=True)
class CallResult:
    """How a model call ended; `ended` in Unix nanoseconds.

    `state` is `complete`, `cut`, `refused`, `failed`, or `unrecorded` where the user paused; in
    `error_type` stands "" when all went well.
    """

    ended: int
    state: str
    attributes: Attributes
    tools: list[ToolRequest] = field(default_factory=list)
    error_type: str = ""
    error_message: str = ""
