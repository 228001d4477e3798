"""Reads a chat request: its parameters, and its conversation as messages stored once each.

It joins a dialect, which knows the provider's words, to the trace file. An element that was met
before costs a look-up: agents resend the whole conversation with every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import ReferenceType, ref

import msgspec

from traceproof.proxy.callids import CallIds, Mention, mentions, put
from traceproof.proxy.dialects import jsontext
from traceproof.proxy.dialects.base import Dialect
from traceproof.recorder import messages, semconv
from traceproof.recorder.agents.base import text_of
from traceproof.recorder.calls import MessageNote, ToolResult
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.pieces import Content, Memo, SplitBody
from traceproof.recorder.span import Attributes
from traceproof.recorder.writer import TraceWriter


class ReadRequest(NamedTuple):
    """A chat request as far as it could be read; `head` is its members but the conversation.

    `system` and `prompt` are the texts of the system prompt and of the user's last message, enough
    of them to tell what a call is for. `ids` has gone through the conversation, and
    gives ids to the calls of its answer.
    """

    head: dict[str, Any]
    attributes: Attributes
    notes: list[MessageNote]
    system: str = ""
    prompt: str = ""
    problem: str = ""
    ids: CallIds | None = None


class _Known(NamedTuple):
    """A message met before: the calls it mentions, and its notes by the ids these have."""

    mentions: tuple[Mention, ...]
    notes: dict[tuple[str, ...], MessageNote]


class _Stored(NamedTuple):
    """The names of what an element became, and its text where that is a system prompt's."""

    names: list[str]
    text: str = ""


class RequestReader:
    """Reads the requests of one dialect in one session; used from one thread.

    `said_by_user` returns what the user said in one text of a user's message.
    """

    def __init__(
        self,
        dialect: Dialect,
        writer: TraceWriter,
        said_by_user: Callable[[str], str] = str,
    ) -> None:
        self._dialect = dialect
        self._said_by_user = said_by_user
        self._made_ids: set[str] = set()
        self._writer = writer
        self._messages: Memo[_Known] = Memo()
        self._system_messages: Memo[str] = Memo()
        self._others: Memo[_Stored] = Memo()
        self._brought: Memo[_Stored] = Memo()

    def read(self, body: SplitBody, before: Sequence[Content] = ()) -> ReadRequest:
        """Read a request; what cannot be read is left out and named in `problem`.

        `before` are the messages that the provider remembers, of a request that goes on from them.
        """
        try:
            head = jsontext.decode(body.head())
        except ValueError:
            head = None
        if not isinstance(head, dict):
            return ReadRequest({}, {}, [], problem="the request is not a JSON object")
        layout = self._dialect.layout
        rest = {name: value for name, value in head.items() if name not in layout}
        attributes = self._dialect.attributes(rest)
        contents = [*before, *(element.content for element in body.elements(layout.messages))]
        ids = CallIds(self._made_ids)
        notes = [self._note(content, ids) for content in contents]
        attributes |= self._list(semconv.INPUT_MESSAGES, [note.sha256 for note in notes])
        system = self._each(body, layout.system, self._system_parts)
        system += self._each(body, layout.system_too, self._system_parts)
        attributes |= self._list(semconv.SYSTEM_INSTRUCTIONS, _names(system))
        tools = self._each(body, layout.tools, self._tool)
        tools += self._brought_along(contents)
        attributes |= self._list(semconv.TOOL_DEFINITIONS, _names(tools))
        texts = [stored.text for stored in system]
        texts += [self._system_messages.get(content) or "" for content in contents]
        prompt = notes[-1].prompt if notes else ""
        told = "\n".join(filter(None, texts))
        return ReadRequest(rest, attributes, notes, told, prompt, ids=ids)

    def _note(self, content: Content, ids: CallIds) -> MessageNote:
        known = self._messages.get(content)
        message = None
        if known is None:
            message = self._message(content)
            known = self._messages[content] = _Known(mentions(message), {})
        named = ids.ids(known.mentions)
        note = known.notes.get(named)
        if note is None:
            note = self._new_note(content, message or self._message(content), named)
            known.notes[named] = note
        ids.heard(note.role, note.sha256)
        return note

    def _message(self, content: Content) -> Message:
        return self._dialect.message(_decode(content))

    def _new_note(self, content: Content, message: Message, named: tuple[str, ...]) -> MessageNote:
        put(message, named)
        note = _note_of(message, self._writer.element(messages.encode(message)))
        if message.role == "user":
            note.prompt = self._prompt(message)
        note.read_results = partial(self._results, ref(content), named)
        note.read_text = partial(self._text, ref(content))
        if message.role in {"system", "developer"}:
            self._system_messages[content] = text_of(message.parts)
        return note

    def _prompt(self, message: Message) -> str:
        said = (
            self._said_by_user(part["content"])
            for part in message.parts
            if part.get("type") == "text" and isinstance(part.get("content"), str)
        )
        return "\n\n".join(filter(None, said))

    def _results(self, content: ReferenceType[Content], named: tuple[str, ...]) -> list[ToolResult]:
        """Read a message's results again; the note must not keep alive what it was made from."""
        element = content()
        if element is None:
            return []
        message = self._message(element)
        put(message, named)
        return _results_of(message)

    def _text(self, content: ReferenceType[Content]) -> str:
        element = content()
        return "" if element is None else text_of(self._message(element).parts)

    def _each(
        self, body: SplitBody, key: str | None, store: Callable[[Any], _Stored]
    ) -> list[_Stored]:
        if key is None:
            return []
        found = []
        for element in body.elements(key):
            stored = self._others.get(element.content)
            if stored is None:
                stored = self._others[element.content] = store(_decode(element.content))
            found.append(stored)
        return found

    def _system_parts(self, value: Any) -> _Stored:
        parts = self._dialect.system([value] if isinstance(value, dict) else value)
        return _Stored([self._json(part) for part in parts], text_of(parts))

    def _tool(self, value: Any) -> _Stored:
        made = [] if value is None else self._dialect.tool(value)
        return _Stored([self._json(tool) for tool in (made if isinstance(made, list) else [made])])

    def _brought_along(self, contents: Iterable[Content]) -> list[_Stored]:
        """Return the tools that messages bring along."""
        kind, found = self._dialect.tool_message, []
        for content in contents if kind else ():
            if kind.encode() in content.data:
                stored = self._brought.get(content)
                if stored is None:
                    stored = self._brought[content] = self._tools_in(_decode(content))
                found.append(stored)
        return found

    def _tools_in(self, message: Any) -> _Stored:
        known = isinstance(message, dict) and message.get("type") == self._dialect.tool_message
        tools = message.get(self._dialect.layout.tools) if known else None
        each = map(self._tool, tools if isinstance(tools, list) else ())
        return _Stored([name for stored in each for name in stored.names])

    def _json(self, value: Any) -> str:
        return self._writer.element(msgspec.json.encode(value))

    def _list(self, name: str, parts: list[str]) -> Attributes:
        return {semconv.REF + name: self._writer.list_(parts, name)} if parts else {}


def _names(stored: list[_Stored]) -> list[str]:
    return [name for each in stored for name in each.names]


def _decode(content: Content) -> Any:
    try:
        return jsontext.decode(content.data)
    except ValueError:
        return content.data.decode("utf-8", "replace")


def _note_of(message: Message, name: str) -> MessageNote:
    return MessageNote(
        name, message.role, tuple(str(part.get("id", "")) for part in _told(message))
    )


def _results_of(message: Message) -> list[ToolResult]:
    return [
        ToolResult(str(part.get("id", "")), as_text(part.get("response")), part.get("is_error"))
        for part in _told(message)
    ]


def _told(message: Message) -> list[Part]:
    """Return the parts that tell what a tool answered."""
    return [part for part in message.parts if part.get("type") == "tool_call_response"]


def as_text(value: Any) -> str:
    """Return a text as it is, the text of a list of text parts, and all else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_text(part) for part in value):
        return "\n".join(part["content"] for part in value)
    return msgspec.json.encode(value).decode()


def _is_text(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and part.get("type") == "text"
        and isinstance(part.get("content"), str)
    )
