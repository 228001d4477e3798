"""Chat completion chunks put together to the completion object they stand for.

It keeps the provider's shape; `openai_chat_response` translates it.
"""

from __future__ import annotations

from operator import attrgetter
from types import NoneType
from typing import Any

import msgspec

from traceproof.proxy.dialects import openai_chat_response, wire
from traceproof.proxy.dialects.base import ChatResponse, Texts
from traceproof.proxy.dialects.stream import Added

_DONE = "[DONE]"
_FIXED = frozenset({"role", "id", "type", "format"})
"""Keys whose text does not grow: several providers repeat them in every chunk."""


class _TextDelta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What nearly all deltas are: a piece of text, and at most the role again."""

    content: str | None = None
    reasoning_content: str | None = None
    role: str | None = None


class _TextChoice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    delta: _TextDelta
    index: int = 0
    finish_reason: None = None
    native_finish_reason: None = None
    logprobs: None = None


class _TextChunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A chunk of one such delta; with anything else in it, it does not fit."""

    choices: tuple[_TextChoice]
    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    provider: str | None = None
    obfuscation: str | None = None
    usage: None = None


_HEAD = tuple(name for name in _TextChunk.__struct_fields__ if name not in {"choices", "usage"})
_head = attrgetter(*_HEAD)
_chunk_decoder = msgspec.json.Decoder(_TextChunk)


class _Growing(list[str]):
    """Text in pieces, joined once at the end: a long answer costs no more than its length."""


class _Choice:
    """One choice of the completion that grows."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.message: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self._position: dict[int, int] = {}

    def call(self, delta: dict[str, Any]) -> int:
        """Return the position of the tool call that a delta continues, or begins.

        The deltas of one call share an index. Some providers leave it out, or give every call
        index 0: then a new id begins a new call.
        """
        index = delta.get("index")
        if type(index) is int:
            found = self._position.setdefault(index, len(self.calls))
        else:
            found = max(len(self.calls) - 1, 0)
        if found == len(self.calls) or self._is_other(self.calls[found], delta):
            found = len(self.calls)
            self.calls.append({})
        if type(index) is int:
            self._position[index] = found
        return found

    def value(self, index: int) -> dict[str, Any]:
        """Return the choice as it would stand in an answer that was not streamed."""
        message = _joined(self.message)
        if self.calls:
            message["tool_calls"] = [_joined(call) for call in self.calls]
        return {**_joined(self.fields), "index": index, "message": message}

    def _is_other(self, call: dict[str, Any], delta: dict[str, Any]) -> bool:
        named = wire.record(delta.get("function")).get("name")
        return bool(named and delta.get("id")) and call.get("id") not in (None, delta["id"])


def _joined(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: _join(value) for key, value in tree.items()}


def _join(value: Any) -> Any:
    if isinstance(value, _Growing):
        return "".join(value)
    return _joined(value) if isinstance(value, dict) else value


class CompletionAssembler:
    """Takes the chunks of one streamed completion."""

    def __init__(self) -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self._completion: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}
        self._error: dict[str, Any] | None = None
        self._done = False
        self._head: tuple[Any, ...] = ()

    def take(self, name: str, data: Any) -> Added:
        """Take one chunk."""
        if not isinstance(data, dict):
            return self._odd(data, f"an event is a {type(data).__name__}")
        if self._done:
            return self._odd(data, "an event after the end marker")
        self._head = ()
        error = openai_chat_response.is_error(data) or name == "error"
        if error:
            self._fail(data)
        choices = data.get("choices")
        if not error and not isinstance(choices, list):
            self._odd(data, "a chunk has no list of choices")
        for key, value in data.items():
            if key not in {"choices", "error"} and value not in (None, ""):
                self._completion[key] = value
        return [pair for choice in wire.items(choices) for pair in self._choice(choice)]

    def take_chunk(self, data: bytes, texts: Texts) -> bool:
        """Take a chunk that only adds text by a shorter way than `take`'s, and note its text."""
        try:
            chunk = _chunk_decoder.decode(data)
        except ValueError:
            return False
        given, index = chunk.choices[0].delta, chunk.choices[0].index
        choice = self._choices.get(index)
        if choice is None or self._done:
            return False
        message: dict[str, Any] = choice.message
        if given.role is not None and not message.get("role"):
            return False
        added: list[tuple[str, str, _Growing]] = []
        for key, text in (
            ("content", given.content),
            ("reasoning_content", given.reasoning_content),
        ):
            pieces = message.get(key)
            if text is not None:
                if not isinstance(pieces, _Growing):
                    return False
                added.append((f"{index}:{key}", text, pieces))
        if not self._say(chunk):
            return False
        for channel, text, pieces in added:
            pieces.append(text)
            texts.setdefault(channel, []).append(text)
        return True

    def _say(self, chunk: _TextChunk) -> bool:
        """Take what a chunk says beside its choices; False if it says what none before it did."""
        head = _head(chunk)
        if head == self._head:
            return True
        said = self._completion
        for name, value in zip(_HEAD, head, strict=True):
            if value not in (None, "") and said.get(name) != value:
                if name not in said or value == "error":
                    return False
                said[name] = value
        self._head = head
        return True

    def take_text(self, name: str, text: str) -> bool:  # noqa: ARG002
        """Take the end marker."""
        self._done = self._done or text.strip() == _DONE
        return text.strip() == _DONE

    def finish(self) -> ChatResponse:
        """Return what the chunks made, whole or not."""
        ordered = sorted(self._choices)
        self._completion["choices"] = [self._choices[key].value(key) for key in ordered]
        made = openai_chat_response.answer(self._completion, self.notes)
        finished = bool(ordered) and all(
            self._choices[key].fields.get("finish_reason") for key in ordered
        )
        made.complete = self._done or (finished and self._error is None)
        made.unknown = self.unknown
        made.problems = self.notes.lines()
        if self._error is not None:
            openai_chat_response.report(made, self._error)
        return made

    def _choice(self, delta: Any) -> Added:
        if not isinstance(delta, dict):
            return self._odd(delta, "a choice is not an object")
        index = delta.get("index", 0)
        if type(index) is not int:
            return self._odd(delta, "a choice has no index")
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        added = self._delta(choice, str(index), delta.get("delta"))
        for key, value in delta.items():
            if isinstance(value, str):
                choice.fields[key] = value  # the reasons why it ended, which some say twice
            elif key not in {"index", "delta"} and value is not None:
                self._merge(choice.fields, key, value, f"{index}:{key}", added)
        return added

    def _delta(self, choice: _Choice, where: str, delta: Any) -> Added:
        if not isinstance(delta, dict):
            return [] if delta is None else self._odd(delta, "a delta is not an object")
        added: Added = []
        for key, value in delta.items():
            if key == "tool_calls" and value is not None:
                for call in value if isinstance(value, list) else [value]:
                    self._call(choice, where, call, added)
            elif value is not None:
                self._merge(choice.message, key, value, f"{where}:{key}", added)
        return added

    def _call(self, choice: _Choice, where: str, delta: Any, added: Added) -> None:
        if not isinstance(delta, dict):
            self._odd(delta, "a tool call is not an object")
            return
        position = choice.call(delta)
        for key, value in delta.items():
            if key != "index" and value is not None:
                channel = f"{where}:tool_call.{position}.{key}"
                self._merge(choice.calls[position], key, value, channel, added)

    def _merge(
        self, tree: dict[str, Any], key: str, value: Any, channel: str, added: Added
    ) -> None:
        """Let a value in a tree grow by a delta's: text and lists grow, objects key by key."""
        old = tree.get(key)
        if isinstance(value, str):
            self._merge_text(tree, key, value, channel, added)
        elif isinstance(value, dict) and isinstance(old, dict | None):
            inner = tree.setdefault(key, {})
            for name, more in value.items():
                if more is not None:
                    self._merge(inner, name, more, f"{channel}.{name}", added)
        elif isinstance(value, list) and type(old) in {list, NoneType}:
            tree.setdefault(key, []).extend(value)
            added += _texts_within(value, channel)
        elif isinstance(old, dict | list) or isinstance(value, dict | list):
            self._odd({key: value}, f"{wire.brief(key)} changes its type")
        else:
            tree[key] = value

    def _merge_text(
        self, tree: dict[str, Any], key: str, value: str, channel: str, added: Added
    ) -> None:
        old = tree.get(key)
        if key in _FIXED:
            tree[key] = old or value
        elif old is None:
            tree[key] = _Growing([value])
            added.append((channel, value))
        elif not isinstance(old, _Growing):
            self._odd({key: value}, f"{wire.brief(key)} changes its type")
        elif key != "name" or old != [value]:
            old.append(value)
            added.append((channel, value))

    def _fail(self, data: dict[str, Any]) -> None:
        if self._error is None:
            self._error = data
        else:
            self._odd(data, "a second error")

    def _odd(self, data: Any, note: str) -> Added:
        self.unknown.append(data)
        self.notes.add(note)
        return []


def _texts_within(values: list[Any], channel: str) -> Added:
    """Find the texts in a list that grows: `reasoning_details` and `logprobs` spell answers out."""
    return [
        (f"{channel}.{wire.count(value.get('index')) or 0}.{key}", text)
        for value in values
        if isinstance(value, dict)
        for key, text in value.items()
        if isinstance(text, str) and key not in _FIXED
    ]
