"""The partial answers that Gemini streams put together to the answer they stand for.

It keeps the provider's shape; `gemini_response` translates it. The same objects come as server-sent
events (`alt=sse`) or as the elements of one JSON array.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import gemini_response, jsontext, wire
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.proxy.dialects.gemini_arguments import GrowingCall, continues
from traceproof.proxy.dialects.gemini_content import camel
from traceproof.proxy.dialects.stream import Added

_TEXT = frozenset({"text", "thought"})
_GROWING = frozenset({"citationMetadata", "logprobsResult"})
"""What of a candidate comes in pieces, as its content does; all else is said anew."""


class _Text:
    """A text that grows over several parts; `more` is what the last of them says beside it."""

    def __init__(self, thought: Any) -> None:
        self.thought = thought
        self.pieces: list[str] = []
        self.more: dict[str, Any] = {}

    def value(self) -> dict[str, Any]:
        """Return the part as it would stand in an answer that was not streamed."""
        thought = {} if self.thought is None else {"thought": self.thought}
        return {"text": "".join(self.pieces), **thought, **self.more}


class _Candidate:
    """One candidate that grows."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.content: dict[str, Any] = {}
        self.parts: list[Any] = []

    def add(self, part: Any) -> list[tuple[str, str]]:
        """Take a part; return what it adds to which texts of this candidate."""
        named = camel(part) if isinstance(part, dict) else {}
        text = named.get("text")
        last = self.parts[-1] if self.parts else None
        if continues(named, last):
            return self._call(named, last)
        if type(text) is not str:
            self.parts.append(part)
            return []
        thought = named.get("thought")
        if not isinstance(last, _Text) or last.more or last.thought != thought:
            last = _Text(thought)
            self.parts.append(last)
        last.pieces.append(text)
        last.more = {key: item for key, item in named.items() if key not in _TEXT}
        return [(f"{'thought' if thought else 'text'}.{len(self.parts) - 1}", text)]

    def _call(self, part: dict[str, Any], last: object) -> list[tuple[str, str]]:
        """Take a part of a call whose arguments come in pieces."""
        named = part["functionCall"].get("name")
        if not isinstance(last, GrowingCall) or not last.goes_on or named:
            last = GrowingCall()
            self.parts.append(last)
        number = len(self.parts) - 1
        return [(f"args.{number}.{path}", text) for path, text in last.add(part)]

    def value(self, index: int) -> dict[str, Any]:
        """Return the candidate as it would stand in an answer that was not streamed."""
        grown = (_Text, GrowingCall)
        parts = [part.value() if isinstance(part, grown) else part for part in self.parts]
        content = {"content": {**self.content, "parts": parts}} if parts or self.content else {}
        return {**content, **self.fields, "index": index}


class AnswerAssembler:
    """Takes the partial answers of one streamed answer.

    Args:
        inside: the key under which each of them stands, where a gateway wraps them.
    """

    def __init__(self, inside: str = "") -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self._inside = inside
        self._answer: dict[str, Any] = {}
        self._candidates: dict[int, _Candidate] = {}
        self._error: dict[str, Any] | None = None

    def take(self, name: str, data: Any) -> Added:  # noqa: ARG002  events have no names
        """Take one partial answer."""
        if type(data) is not dict:
            return self._odd(data, f"an event is a {type(data).__name__}")
        if self._inside:
            data = gemini_response.unwrapped(data, self._inside)
        if data.get("error") is not None:
            self._fail(data)
        for key, value in data.items():
            if key not in {"candidates", "error"} and value is not None:
                self._answer[key] = value
        candidates = data.get("candidates")
        if not isinstance(candidates, list | None):
            return self._odd(data, "candidates is not a list")
        return [pair for each in candidates or () for pair in self._candidate(each)]

    def take_text(self, name: str, text: str) -> bool:  # noqa: ARG002
        """Take an error that stands between the events, or the end marker that gateways add.

        A bare `{"error": …}` in the midst of a stream is what Google's own clients look for.
        """
        if text.strip() == "[DONE]":
            return True
        try:
            data = jsontext.decode(text.encode())
        except ValueError:
            return False
        if not isinstance(data, dict) or data.get("error") is None:
            return False
        self._fail(data)
        return True

    def finish(self) -> ChatResponse:
        """Return what the partial answers made, whole or not."""
        ordered = sorted(self._candidates)
        found = [self._candidates[index].value(index) for index in ordered]
        made = gemini_response.answer({**self._answer, "candidates": found}, self.notes)
        ended = bool(found) and all(each.get("finishReason") for each in found)
        made.complete = (ended or gemini_response.blocked(self._answer)) and self._error is None
        made.unknown = self.unknown
        made.problems = self.notes.lines()
        if self._error is not None:
            self._report(made, self._error)
        return made

    def _report(self, made: ChatResponse, error: dict[str, Any]) -> None:
        reported = gemini_response.failed(error)
        made.error = reported.error
        if "error" in reported.extra:
            made.extra["error"] = reported.extra["error"]
        if made.messages and not made.finish_reasons:
            made.finish_reasons = ["error"] * len(made.messages)

    def _candidate(self, delta: Any) -> Added:
        if type(delta) is not dict:
            return self._odd(delta, "a candidate is not an object")
        index = delta.get("index", 0)
        if type(index) is not int:
            return self._odd(delta, "a candidate has no index")
        candidate = self._candidates.setdefault(index, _Candidate())
        for key, value in delta.items():
            if key not in {"index", "content"} and value is not None:
                self._field(candidate, key, value)
        given = delta.get("content")
        if type(given) is not dict:
            return [] if given is None else self._odd(delta, "a content is not an object")
        return self._content(candidate, index, given)

    def _content(self, candidate: _Candidate, index: int, given: dict[str, Any]) -> Added:
        candidate.content.update(wire.rest(given, ("parts",)))
        parts = given.get("parts")
        if not isinstance(parts, list | None):
            return self._odd(given, "parts is not a list")
        added = [candidate.add(part) for part in parts or ()]
        return [(f"{index}:{name}", text) for grown in added for name, text in grown]

    def _field(self, candidate: _Candidate, key: str, value: Any) -> None:
        old = candidate.fields.get(key)
        if key in _GROWING and isinstance(old, dict) and isinstance(value, dict):
            for name, item in value.items():
                if isinstance(old.get(name), list) and isinstance(item, list):
                    old[name].extend(item)
                else:
                    old[name] = item
        else:
            candidate.fields[key] = {**value} if isinstance(value, dict) else value

    def _fail(self, data: dict[str, Any]) -> None:
        if self._error is None:
            self._error = data
        else:
            self._odd(data, "a second error")

    def _odd(self, data: Any, note: str) -> Added:
        self.unknown.append(data)
        self.notes.add(note)
        return []
