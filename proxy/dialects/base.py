"""What a dialect is: pure functions from a provider's bytes to messages and events.

A dialect owns no socket, no file and no clock, and never raises on what a provider sent: bytes it
cannot make sense of become a `problem`, and whatever it could read stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes


class RequestLayout(NamedTuple):
    """Where a request's JSON object keeps the conversation: its top-level keys.

    `system_too` is another spelling of `system`.
    """

    messages: str
    system: str | None
    tools: str
    system_too: str | None = None


class Usage(msgspec.Struct, omit_defaults=True):
    """Token counts by OpenTelemetry's rules: `input` includes what was cached; None is unknown."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None


class ModelError(msgspec.Struct):
    """An error as the provider reported it, in band or as the body of a failed response."""

    type: str
    message: str


class ChatResponse(msgspec.Struct):
    """A model's answer, put together; parts are in the order the model gave them.

    `messages` holds one message a choice (nearly always one). `finish_reasons` uses the words of
    the conventions (`stop`, `length`, `tool_call`, `content_filter`, `error`), else the provider's
    own. `complete` is False when the stream ended before its end marker. `extra` keeps facts that
    have no name in the conventions, by the provider's own names. `problems` are one-line notes on
    what was malformed or unknown; an unknown event is kept whole in `unknown`.
    """

    id: str = ""
    model: str = ""
    messages: list[Message] = []
    finish_reasons: list[str] = []
    usage: Usage = msgspec.field(default_factory=Usage)
    error: ModelError | None = None
    complete: bool = True
    extra: dict[str, Any] = {}
    unknown: list[Any] = []
    problems: list[str] = []


class StreamEvent(NamedTuple):
    """One event of a streamed response.

    `start` and `end` are byte offsets in the decoded stream: the event's lines with the blank line
    that ends it. `data` is the decoded JSON (or the text, where it is not JSON); `name` the SSE
    event name. Where the event adds text to something that grows (an answer, a thought, a tool's
    arguments), `channel` names that thing within the response and `text` is what it adds: a secret
    may be spread over the texts of one channel. `more` holds further pairs of channel and text:
    one event may add to several things.
    """

    start: int
    end: int
    name: str
    data: Any
    channel: str | None = None
    text: str = ""
    more: tuple[tuple[str, str], ...] = ()


Texts: TypeAlias = dict[str, list[str]]
"""What the events of a response add, by channel."""


class StreamParser(Protocol):
    """Reads one streamed response; any chunking of the same bytes gives the same result."""

    def read(self, data: bytes) -> Texts:
        """Take a whole response at once, in place of `feed` and `finish`; return its texts."""

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Take decoded bytes and return the events they complete; all bytes are taken at once."""

    def finish(self) -> Iterator[StreamEvent]:
        """Say that no more bytes will come and return a last event that lacks its blank line.

        Optional before `close`: it is for who must see every text before it is kept.
        """

    def close(self) -> ChatResponse:
        """Say that no more bytes will come, and return what they made."""


class Dialect(Protocol):
    """One provider wire format."""

    name: str
    """For instance `anthropic.messages`."""
    provider: str
    """The value of `gen_ai.provider.name`."""
    layout: RequestLayout
    tool_message: str
    """The type of messages that bring tools along, under the key of the request's own; or ""."""
    json_streams: bool
    """Whether `stream` is to read JSON too: its answers may be streamed as an array."""

    def matches(self, method: str, host: str, path: str) -> bool:
        """Tell whether a request is a model call of this dialect; `path` has no query."""

    def path_attributes(self, path: str) -> Attributes:
        """Return what a request's path says of it, the model for instance; `path` has no query."""

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes (`gen_ai.request.*`, ours for the rest).

        `head` is the request object without its messages, system prompt and tools.
        """

    def message(self, element: Any) -> Message:
        """Translate one element of the request's message array; `cache_control` is left out.

        A call that has no id gets an empty one, and its result the tool's name as `name`; see
        `traceproof.proxy.callids`.
        """

    def system(self, value: Any) -> list[Part]:
        """Translate the request's system prompt; `cache_control` is left out."""

    def tool(self, element: Any) -> dict[str, Any] | list[dict[str, Any]]:
        """Translate one tool definition: type, name, description, parameters, and what else.

        Where an element defines several tools, they are a list.
        """

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""

    def stream(self) -> StreamParser:
        """Return a parser for one streamed response."""
