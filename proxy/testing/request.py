"""A request as a script sees it: what a matcher or a computed turn may look at.

The exact bytes are kept beside what a wire format made of them; nothing here changes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

CONVERSATION_HEADERS = (
    "x-claude-code-session-id",
    "x-claude-code-agent-id",
    "session-id",
    "thread-id",
    "x-session-id",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a request: who, the text, the ids of tool calls, the texts of tool results."""

    role: str
    text: str = ""
    calls: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A request's body in no provider's terms, as far as scripts need it."""

    model: str = ""
    system: str = ""
    messages: Sequence[Said] = ()
    tools: tuple[str, ...] = ()
    stream: bool = False
    schema: bool = False
    """The answer is asked for in a JSON schema."""
    choices: int = 1
    include_usage: bool = True
    array: bool = False
    """A stream is asked for as one JSON array."""


@dataclass(frozen=True)
class Request:
    """One HTTP request to the scripted model."""

    method: str
    target: str
    """The request target exactly as sent; absolute where the client takes us for a proxy."""
    headers: Sequence[tuple[str, str]]
    body: bytes
    """The body exactly as sent, without the framing of HTTP."""
    view: View = field(default_factory=View)
    json: Any = None
    """The decoded body, None where it is not JSON."""

    @cached_property
    def path(self) -> str:
        """The path, without host and query."""
        return urlsplit(self.target).path if self.target != "*" else "*"

    def header(self, name: str) -> str | None:
        """Return a header's value by its name in lower case, the first of several."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.view.model

    @property
    def system(self) -> str:
        """The system prompt's text."""
        return self.view.system

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools offered."""
        return self.view.tools

    @cached_property
    def user(self) -> str:
        """The text of the first user message."""
        return next((said.text for said in self.view.messages if said.role == "user"), "")

    @cached_property
    def last(self) -> str:
        """The text of the last message, tool results included."""
        if not self.view.messages:
            return ""
        said = self.view.messages[-1]
        return "\n".join((*said.results, said.text))

    @cached_property
    def text(self) -> str:
        """Everything said by the user and by tools, in order."""
        heard = (said for said in self.view.messages if said.role != "assistant")
        return "\n".join("\n".join((*said.results, said.text)) for said in heard)

    @cached_property
    def assistants(self) -> int:
        """How many messages of the conversation are the model's."""
        return sum(said.role == "assistant" for said in self.view.messages)

    @property
    def side_call(self) -> bool:
        """Whether this is a call beside the conversation (a title, a quota probe): no tools."""
        return not self.view.tools or self.view.schema

    @cached_property
    def conversation(self) -> str:
        """A key of the conversation: the agent's session headers, else the first user message."""
        marks = [self.header(name) for name in CONVERSATION_HEADERS]
        known = "\0".join(mark for mark in marks if mark)
        return sha256((known or self.user).encode("utf-8", "surrogatepass")).hexdigest()[:12]
