"""Streamed events of OpenAI's Responses API put together to the response they stand for.

It keeps the provider's shape; `openai_responses_response` translates it. It takes decoded events,
so that it serves any transport: server-sent events, or the messages of a WebSocket.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from traceproof.proxy.dialects import openai_responses_response, wire
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.proxy.dialects.stream import Added


class _Place(NamedTuple):
    """Where in an item a text grows: under `key`, in a part of the list `among` if one is named.

    `number` is the event's key that says which part; `kind` the part's type.
    """

    key: str
    among: str = ""
    number: str = ""
    kind: str = ""


_TEXTS = {
    "output_text": _Place("text", "content", "content_index", "output_text"),
    "refusal": _Place("refusal", "content", "content_index", "refusal"),
    "reasoning_text": _Place("text", "content", "content_index", "reasoning_text"),
    "reasoning_summary_text": _Place("text", "summary", "summary_index", "summary_text"),
    "function_call_arguments": _Place("arguments"),
    "custom_tool_call_input": _Place("input"),
    "mcp_call_arguments": _Place("arguments"),
    "code_interpreter_call_code": _Place("code"),
}
"""Events `response.<name>.delta` and `.done`; the latter holds the whole text under `key`."""

_PARTS = {
    "content_part": ("content", "content_index"),
    "reasoning_summary_part": ("summary", "summary_index"),
}
_STATES = frozenset(
    {"in_progress", "searching", "interpreting", "generating", "completed", "failed"}
    | {"partial_image"}
)
"""Last words of events that tell how far a provider's own tool is; its item says what came of it.

So do the images on the way to the last.
"""

_BEGINS = frozenset({"response.created", "response.in_progress", "response.queued"})
ENDS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)
"""Events after which a response has no more; an error may come in their place."""

_BESIDE = frozenset({"codex.rate_limits"})


class _Item:
    """An item that grows; `whole` is what its last event says it became."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.whole: dict[str, Any] | None = None
        self._texts: dict[tuple[str, int, str], list[str]] = {}
        self._parts: dict[tuple[str, int], dict[str, Any]] = {}

    def add(self, place: _Place, at: int, text: str) -> None:
        """Let a text grow."""
        self._texts.setdefault((place.among, at, place.key), []).append(text)
        if place.among:
            self._parts.setdefault((place.among, at), {"type": place.kind})

    def set(self, place: _Place, at: int, text: str) -> None:
        """Say what a text is as a whole."""
        self._texts.pop((place.among, at, place.key), None)
        self.add(place, at, text)

    def put(self, among: str, at: int, part: dict[str, Any], *, whole: bool) -> None:
        """Take a part as it begins, or as it is as a whole."""
        self._parts[among, at] = part
        if whole:
            for key in [key for key in self._texts if key[:2] == (among, at)]:
                del self._texts[key]

    def annotate(self, at: int, annotation: Any) -> None:
        """Add an annotation to a text."""
        part = self._parts.setdefault(("content", at), {"type": "output_text"})
        part["annotations"] = [*wire.items(part.get("annotations")), annotation]

    def value(self) -> dict[str, Any]:
        """Return the item as it would stand in an answer that was not streamed."""
        if self.whole is not None:
            return self.whole
        made = dict(self.start)
        for among in ("content", "summary"):
            grown = [self._part(*key) for key in sorted(self._parts) if key[0] == among]
            if grown:
                made[among] = grown
        return {**made, **self._own("", 0, made)}

    def _part(self, among: str, at: int) -> dict[str, Any]:
        part = self._parts[among, at]
        return {**part, **self._own(among, at, part)}

    def _own(self, among: str, at: int, start: dict[str, Any]) -> dict[str, str]:
        return {
            key: wire.text(start.get(key)) + "".join(pieces)
            for (list_, index, key), pieces in self._texts.items()
            if (list_, index) == (among, at)
        }


class ResponseAssembler:
    """Takes the events of one streamed response."""

    def __init__(self) -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self._response: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}
        self._items: dict[int, _Item] = {}
        self._positions: dict[str, int] = {}
        self._error: dict[str, Any] | None = None
        self._begun = self._ended = False

    def take(self, name: str, data: Any) -> Added:
        """Take one event; its own type counts, the name of the server-sent event only without."""
        if type(data) is not dict:
            return self._odd(data, f"an event is a {type(data).__name__}")
        kind = data.get("type") or name or ("error" if "error" in data else "")
        if type(kind) is not str:
            return self._odd(data, "an event has no type")
        head, _, verb = kind.removeprefix("response.").rpartition(".")
        if verb == "delta":
            return self._delta(head, data)
        if kind in _BEGINS or kind in ENDS:
            return self._whole(kind, data)
        if head == "output_item":
            return self._item(data, done=verb == "done")
        if head in _PARTS:
            return self._part(head, data, whole=verb == "done")
        if head in _TEXTS and verb == "done":
            return self._text(_TEXTS[head], data)
        return self._other(kind, head, verb, data)

    def take_text(self, name: str, text: str) -> bool:  # noqa: ARG002
        """Take the end marker that some gateways add; it says nothing new."""
        return text.strip() == "[DONE]"

    def finish(self) -> ChatResponse:
        """Return what the events made, whole or not."""
        made = ChatResponse()
        output = self._output()
        if self._begun or output:
            whole = {**self._response, "output": output}
            made = openai_responses_response.answer(whole, self.notes)
        if self._error is not None:
            openai_responses_response.report(made, self._error)
        made.complete = self._ended
        made.extra.update(self._extra)
        made.unknown = self.unknown
        made.problems = self.notes.lines()
        return made

    def output(self) -> list[Any]:
        """Return the items of a response that has ended, as a later request may send them back."""
        return self._output() if self._ended else []

    def _output(self) -> list[Any]:
        """Return the items: as they ended, else as the end of the response has them, else grown."""
        told = wire.items(self._response.get("output"))
        output = []
        for position in sorted({*self._items, *range(len(told))}):
            item = self._items.get(position)
            if item is not None and (item.whole is not None or position >= len(told)):
                output.append(self._grown(item))
            else:
                output.append(told[position])
        return output

    def _grown(self, item: _Item) -> dict[str, Any]:
        if item.whole is None:
            self.notes.add(f"an item was cut short: {wire.brief(item.start.get('type'))}")
        return item.value()

    # --- the response -----------------------------------------------------------------------------

    def _whole(self, kind: str, data: dict[str, Any]) -> Added:
        response = data.get("response")
        self._begun = True
        self._ended = self._ended or kind in ENDS
        if not isinstance(response, dict):
            return self._odd(data, f"{kind} has no response")
        self._response.update(wire.rest(response, ()))
        if kind in ENDS:
            self._response.setdefault("status", kind.removeprefix("response."))
        return []

    def _other(self, kind: str, head: str, verb: str, data: dict[str, Any]) -> Added:
        if kind == "error":
            return self._fail(data)
        if kind == "response.output_text.annotation.added":
            return self._annotate(data)
        if head.endswith(("_call", "mcp_list_tools")) and verb in _STATES:
            return []
        if kind == "keepalive":
            self._extra["pings"] = self._extra.get("pings", 0) + 1
        elif kind in _BESIDE:
            self._extra[kind] = wire.rest(data, ("type",))
        else:
            return self._odd(data, f"unknown event {wire.brief(kind)}")
        return []

    def _fail(self, data: dict[str, Any]) -> Added:
        if self._error is not None:
            return self._odd(data, "a second error")
        self._error = data
        return []

    # --- its items --------------------------------------------------------------------------------

    def _delta(self, head: str, data: dict[str, Any]) -> Added:
        text = data.get("delta")
        if type(text) is not str:
            return self._odd(data, "a delta is not text")
        place = _TEXTS.get(head)
        if place is None:
            self._odd(data, f"unknown delta {wire.brief(head)}")
            return [(f"{wire.count(data.get('output_index')) or 0}:{head}", text)]
        position, item = self._find(data)
        if item is None:
            return [*self._odd(data, "a delta belongs to no item"), (f"{position}:{head}", text)]
        at = data.get(place.number, 0) if place.among else 0
        at = at if type(at) is int else 0
        item.add(place, at, text)
        return [(f"{position}:{head}.{at}", text)]

    def _text(self, place: _Place, data: dict[str, Any]) -> Added:
        text, (_, item) = data.get(place.key), self._find(data)
        if not isinstance(text, str) or item is None:
            return self._odd(data, "the end of a text makes no sense")
        item.set(place, _index(data, place.number) if place.among else 0, text)
        return []

    def _part(self, head: str, data: dict[str, Any], *, whole: bool) -> Added:
        (among, index), part = _PARTS[head], data.get("part")
        _, item = self._find(data)
        if not isinstance(part, dict) or item is None:
            return self._odd(data, "a part belongs to no item")
        item.put(among, _index(data, index), part, whole=whole)
        return []

    def _annotate(self, data: dict[str, Any]) -> Added:
        _, item = self._find(data)
        if item is None or "annotation" not in data:
            return self._odd(data, "an annotation belongs to no item")
        item.annotate(_index(data, "content_index"), data["annotation"])
        return []

    def _item(self, data: dict[str, Any], *, done: bool) -> Added:
        item = data.get("item")
        if not isinstance(item, dict):
            return self._odd(data, "an item is not an object")
        position, known = self._find(data)
        if position < 0:
            position = max(self._items, default=-1) + 1
        if known is None:
            known = self._items[position] = _Item(item)
        if done:
            known.whole = item
        if isinstance(item.get("id"), str):
            self._positions[item["id"]] = position
        return []

    def _find(self, data: dict[str, Any]) -> tuple[int, _Item | None]:
        """Return an item and its place: by the place told, else by its id; -1 where neither is."""
        position = data.get("output_index")
        if type(position) is not int or position < 0:
            inner = data.get("item")
            item_id = inner.get("id") if isinstance(inner, dict) else data.get("item_id")
            position = self._positions.get(item_id, -1) if isinstance(item_id, str) else -1
        return position, self._items.get(position)

    def _odd(self, data: Any, note: str) -> Added:
        self.unknown.append(data)
        self.notes.add(note)
        return []


def _index(data: dict[str, Any], key: str) -> int:
    index = data.get(key, 0)
    return index if type(index) is int else 0
