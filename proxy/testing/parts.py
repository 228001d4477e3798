"""What a scripted model says: the parts of a turn, by no provider's names.

Pure data, also in the file form of a script (`{type = "say", text = "…"}`); how a part looks on the
wire is the wire format's business.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class Part(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """The base of all parts; `type` in the file form is the class name in lower case."""


class Say(Part, frozen=True):
    """Text for the user."""

    text: str


class Think(Part, frozen=True):
    """Thinking, with the signature that providers want back."""

    text: str
    signature: str = "c2lnbmF0dXJl"


class Redacted(Part, frozen=True):
    """Thinking that the provider sends encrypted."""

    data: str


class Use(Part, frozen=True):
    """A call of one of the agent's tools; without `id` the call gets one that names its turn."""

    name: str
    input: dict[str, Any]
    id: str | None = None


class Custom(Part, frozen=True):
    """A call of one of the agent's tools that takes plain text, where the provider has such."""

    name: str
    text: str
    id: str | None = None


class ServerTool(Part, frozen=True):
    """A call of a tool that the provider runs itself, with its result.

    `result` is the content of the result block; `kind` its type on the Anthropic wire.
    """

    name: str
    input: dict[str, Any]
    result: Any
    kind: str = "web_search_tool_result"
    id: str | None = None


class Cite(Part, frozen=True):
    """Text that quotes a web page."""

    text: str
    url: str
    title: str
    cited: str


class Refuse(Part, frozen=True):
    """The model declines, where the provider has a place for that; else it is text."""

    text: str


class Echo(Part, frozen=True):
    """Text made of what the request holds: `template` with `{}` for the last match of `pattern`.

    Where `pattern` has a group, the group is taken. No match gives an empty string.
    """

    pattern: str
    template: str = "{}"


AnyPart: TypeAlias = Say | Think | Redacted | Use | Custom | ServerTool | Cite | Refuse | Echo


class Usage(msgspec.Struct, frozen=True):
    """Token counts, divided as Anthropic does.

    `input` is what was neither read from nor put in the cache. Without `output`, a token is counted
    for every four characters said.
    """

    input: int = 25
    output: int | None = None
    cache_read: int = 0
    cache_creation: int = 0
    reasoning: int = 0
