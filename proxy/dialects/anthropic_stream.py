"""Anthropic's streamed events put together to the message object they stand for.

It keeps the provider's shape; `anthropic_response` translates it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from traceproof.proxy.dialects import anthropic_response, jsontext, wire
from traceproof.proxy.dialects.base import ChatResponse, Texts
from traceproof.proxy.dialects.stream import Added

_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input_json"),
}
"""Kind of delta → the key of its text, and the channel's name."""


class _Delta(msgspec.Struct, gc=False):
    """The text of one delta, under the key of its kind."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None


class _DeltaEvent(msgspec.Struct, gc=False):
    """A delta as nearly all are; any other event that this happens to fit has another type."""

    type: str = ""
    index: int = -1
    delta: _Delta | None = None


_delta_decoder = msgspec.json.Decoder(_DeltaEvent)


class _Block:
    """A content block that grows."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.texts: dict[str, list[str]] = {}
        self.citations: list[Any] = []
        self.stopped = False

    def value(self, notes: wire.Notes) -> dict[str, Any]:
        """Return the block as it would stand in an answer that was not streamed."""
        block = dict(self.start)
        for key, pieces in self.texts.items():
            if key == "partial_json":
                self._set_input(block, "".join(pieces), notes)
            else:
                block[key] = wire.text(block.get(key)) + "".join(pieces)
        if self.citations:
            block["citations"] = [*wire.items(block.get("citations")), *self.citations]
        if not self.stopped:
            notes.add(f"a content block was cut short: {wire.brief(block.get('type'))}")
        return block

    def _set_input(self, block: dict[str, Any], joined: str, notes: wire.Notes) -> None:
        if not joined:
            block.setdefault("input", {})
            return
        try:
            block["input"] = jsontext.decode(joined)
        except ValueError:
            block["input"] = joined
            notes.add(f"the arguments of {wire.brief(block.get('name'))} are not JSON")


class MessageAssembler:
    """Takes the events of one streamed message."""

    def __init__(self) -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: list[_Block] = []
        self._open: dict[int, _Block] = {}
        self._started = self._stopped = False
        self._error: dict[str, Any] | None = None
        self._pings = 0
        self._handlers = {
            "message_start": self._start,
            "content_block_start": self._block_start,
            "content_block_delta": self._delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._stop,
            "ping": self._ping,
            "error": self._fail,
        }

    def take(self, name: str, data: Any) -> Added:
        """Take one event; its own type counts, the name of the server-sent event only without."""
        if not isinstance(data, dict):
            return self._odd(data, f"an event is a {type(data).__name__}")
        kind = data.get("type", name)
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return self._odd(data, f"unknown event {wire.brief(kind)}")
        return handler(data)

    def take_delta(self, data: bytes, texts: Texts) -> bool:
        """Take a delta of text by a shorter way than `take`'s, if it is one, and note its text."""
        if jsontext.may_be_deep(data):
            return False
        try:
            event = _delta_decoder.decode(data)
        except (ValueError, RecursionError):
            return False
        delta, block = event.delta, self._open.get(event.index)
        if delta is None or block is None or event.type != "content_block_delta":
            return False
        key, channel = _DELTAS.get(delta.type, ("type", ""))
        text: str | None = getattr(delta, key)
        if text is None or not channel:
            return False
        pieces = block.texts.get(key)
        if pieces is None:
            pieces = block.texts[key] = []
        pieces.append(text)
        where = f"{event.index}:{channel}"
        if where in texts:
            texts[where].append(text)
        else:
            texts[where] = [text]
        return True

    def take_text(self, name: str, text: str) -> bool:  # noqa: ARG002  the protocol's
        """No event of this provider is other than JSON."""
        return False

    def finish(self) -> ChatResponse:
        """Return what the events made, whole or not."""
        blocks = [block.value(self.notes) for block in self._blocks]
        if blocks:
            self._message["content"] = [*wire.items(self._message.get("content")), *blocks]
        self._message["usage"] = self._usage
        made = ChatResponse()
        if self._started or blocks:
            made = anthropic_response.answer(self._message, self.notes)
        self._conclude(made)
        return made

    def _conclude(self, made: ChatResponse) -> None:
        made.complete = self._stopped
        made.unknown = self.unknown
        made.problems = self.notes.lines()
        if self._pings:
            made.extra["pings"] = self._pings
        if self._error is not None:
            failed = anthropic_response.failed(self._error)
            made.error = failed.error
            made.extra.update(failed.extra)
            if made.messages and not made.finish_reasons:
                made.finish_reasons = ["error"]

    def _start(self, data: dict[str, Any]) -> Added:
        message = data.get("message")
        if self._started or not isinstance(message, dict):
            return self._odd(data, "message_start makes no sense here")
        self._started = True
        self._message = dict(message)
        self._merge_usage(message.get("usage"))
        return []

    def _block_start(self, data: dict[str, Any]) -> Added:
        index, start = data.get("index"), data.get("content_block")
        if type(index) is not int or not isinstance(start, dict):
            return self._odd(data, "content_block_start makes no sense")
        if index in self._open:
            self.notes.add("a content block was started twice")
        self._open[index] = block = _Block(start)
        self._blocks.append(block)
        return [
            (f"{index}:{channel}", start[key])
            for key, channel in _DELTAS.values()
            if isinstance(start.get(key), str) and start[key]
        ]

    def _delta(self, data: dict[str, Any]) -> Added:
        index, delta = data.get("index"), data.get("delta")
        block = self._open.get(index) if type(index) is int else None
        if block is None or type(delta) is not dict:
            return self._odd(data, "a delta belongs to no content block")
        kind = delta.get("type")
        key, channel = _DELTAS.get(kind, ("", "")) if type(kind) is str else ("", "")
        text = delta.get(key)
        if type(text) is not str:
            return self._other_delta(block, delta, data)
        block.texts.setdefault(key, []).append(text)
        return [(f"{index}:{channel}", text)]

    def _other_delta(self, block: _Block, delta: dict[str, Any], data: dict[str, Any]) -> Added:
        kind = delta.get("type")
        if kind == "citations_delta" and "citation" in delta:
            block.citations.append(delta["citation"])
            return []
        if kind == "compaction_delta":
            block.start = {**block.start, **wire.rest(delta, ("type",))}
            return []
        self._odd(data, f"unknown delta {wire.brief(kind)}")
        return [
            (f"{data['index']}:{key}", text)
            for key, text in delta.items()
            if key != "type" and isinstance(text, str)
        ]

    def _block_stop(self, data: dict[str, Any]) -> Added:
        index = data.get("index")
        block = self._open.pop(index, None) if type(index) is int else None
        if block is None:
            return self._odd(data, "content_block_stop belongs to no content block")
        block.stopped = True
        return []

    def _message_delta(self, data: dict[str, Any]) -> Added:
        self._message.update(wire.rest(data, ("type", "delta", "usage")))
        self._message.update(wire.rest(wire.section(data.get("delta"), "delta", self.notes), ()))
        self._merge_usage(data.get("usage"))
        return []

    def _merge_usage(self, usage: Any) -> None:
        """Take later counts for the truth: they are cumulative."""
        self._usage.update(wire.rest(wire.section(usage, "usage", self.notes), ()))

    def _stop(self, data: dict[str, Any]) -> Added:  # noqa: ARG002
        self._stopped = True
        return []

    def _ping(self, data: dict[str, Any]) -> Added:  # noqa: ARG002
        self._pings += 1
        return []

    def _fail(self, data: dict[str, Any]) -> Added:
        if self._error is not None:
            return self._odd(data, "a second error")
        self._error = data
        return []

    def _odd(self, data: Any, note: str) -> Added:
        self.unknown.append(data)
        self.notes.add(note)
        return []
