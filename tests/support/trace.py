"""A trace read back, and a recording compared with what the scripted model knows of it."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from traceproof.commands.show import load
from traceproof.proxy import encodings
from traceproof.proxy.testing import Call
from traceproof.recorder import semconv
from traceproof.recorder.fragments import FRAGMENTS
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.redaction import Mask
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Span
from traceproof.recorder.store import SUFFIX
from traceproof.view import View

BODIES = {"request": semconv.REQUEST_BODY, "response": semconv.RESPONSE_BODY}

Ended = subprocess.CompletedProcess
Hiding = Callable[[bytes], bytes]


def as_is(data: bytes) -> bytes:
    return data


class Trace:
    """A trace file, all of it in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _read(self) -> tuple[list[Record], list[str]]:
        with TraceReader.open(self.path) as reader:
            return list(reader.records(inline=True)), reader.problems

    @property
    def records(self) -> list[Record]:
        return self._read[0]

    @property
    def problems(self) -> list[str]:
        return self._read[1]

    @cached_property
    def view(self) -> View:
        return load(self.path)

    @cached_property
    def spans(self) -> list[Span]:
        """The recorder's spans, by their start."""
        ours = [record.span for record in self.records if not record.from_agent]
        return sorted(ours, key=lambda span: span.start)

    @property
    def root(self) -> Span:
        (root,) = [span for span in self.spans if not span.parent_id]
        return root

    @property
    def prompts(self) -> list[str]:
        """What the user said, as the root span has it."""
        said = [event for event in self.root.events if event.name == PROMPT_EVENT]
        return [str(event.attributes["content"]) for event in said]

    def chats(self, purpose: str = "main") -> list[Span]:
        chats = self._operation("chat")
        return [span for span in chats if span.attributes[semconv.CALL_PURPOSE] == purpose]

    @property
    def tools(self) -> list[Span]:
        return self._operation("execute_tool")

    @property
    def sub_agents(self) -> list[Span]:
        return [span for span in self._operation("invoke_agent") if span.parent_id]

    @property
    def exchanges(self) -> list[Span]:
        """The spans of everything that passed over HTTP or a web socket, model call or not."""
        return [span for span in self.spans if semconv.URL_PATH in span.attributes]

    def body(self, span: Span, side: str) -> tuple[bytes, list[Mask]]:
        """Return what `traceproof raw` gives, and the masks in it."""
        return self._bodies.get((span.span_id, side), (b"", []))

    @cached_property
    def _bodies(self) -> dict[tuple[str, str], tuple[bytes, list[Mask]]]:
        """Every body by its span and side."""
        found = {}
        with TraceReader.open(self.path) as reader:
            for span in list(reader.spans()):
                for side, name in BODIES.items():
                    reference = str(span.attributes.get(semconv.REF + name, ""))
                    if reference:
                        body = b"".join(reader.iter_body(reference))
                        found[span.span_id, side] = body, reader.masks(reference)
        return found

    def _operation(self, name: str) -> list[Span]:
        return [s for s in self.spans if s.attributes.get(semconv.OPERATION_NAME) == name]


class Recorded(Trace):
    """A recording that is over: how it ended, what the model saw of it, and its trace."""

    def __init__(self, path: Path, ended: Ended[bytes], calls: list[Call]) -> None:
        super().__init__(path)
        self.ended = ended
        self.calls = calls
        self.elsewhere: set[str] = set()
        """Hosts that were asked for where nothing is but this machine."""

    @property
    def model_calls(self) -> list[Call]:
        return [call for call in self.calls if call.wire]

    @property
    def log(self) -> str:
        """What the recorder complained about."""
        path = self.path.with_name(self.path.name.removesuffix(SUFFIX) + ".log")
        return path.read_text() if path.exists() else ""

    @property
    def result(self) -> dict[str, Any]:
        """What Claude Code prints at its end."""
        return json.loads(self.ended.stdout)

    def differences(self, hide: Hiding = as_is) -> list[str]:
        """Return the calls that are not byte for byte in the trace, and what else is in it.

        `hide` puts masks where secrets were, in the bytes that the model got and sent.
        """
        pairs = self.pairs(hide)
        found = [span.span_id for span, _ in pairs]
        strangers = [span for span in self.exchanges if span.span_id not in found]
        missing = [call for call in self.calls if not any(call is known for _, known in pairs)]
        return [f"in the trace alone: {span.name}" for span in strangers] + [
            f"at the model alone: {call.method} {call.target}" for call in missing
        ]

    def pairs(self, hide: Hiding = as_is) -> list[tuple[Span, Call]]:
        """Return each span with the call that has the same bytes."""
        waiting = list(self.calls)
        pairs = []
        for span in self.exchanges:
            call = next((call for call in waiting if self._same(span, call, hide)), None)
            if call is not None:
                waiting.remove(call)
                pairs.append((span, call))
        return pairs

    def _same(self, span: Span, call: Call, hide: Hiding) -> bool:
        path, query = (
            str(span.attributes.get(name, "")) for name in (semconv.URL_PATH, semconv.URL_QUERY)
        )
        target = f"{path}?{query}" if query else path
        told = (span.attributes.get(semconv.HTTP_METHOD, ""), target)
        told_status = span.attributes.get(semconv.HTTP_STATUS, 0)
        over_socket = call.wire.endswith("-websocket")
        known = (
            ("", call.target, told_status)
            if over_socket
            else (call.method, call.target, call.status)
        )
        if (*told, told_status) != known:
            return False
        decoded = str(span.attributes.get(semconv.BODY_KEPT_DECODED, "")).split(",")
        request, response = call.request_body, call.response_body
        if "request" in decoded:
            request = encodings.decode(coding(call.request_headers), request)[0]
        if "response" in decoded:
            response = encodings.decode(coding(call.response_headers), response)[0]
        return self._keeps(span, "request", request, hide) and self._keeps(
            span, "response", response, hide
        )

    def _keeps(self, span: Span, side: str, sent: bytes, hide: Hiding) -> bool:
        """Tell whether a body is what was sent, but for its masks, each where it is listed."""
        kept, masks = self.body(span, side)
        assert kept.count(b"<SECRET:") == len(masks)
        for mask in masks:
            assert kept[mask.offset :].startswith(f"<SECRET:{mask.name}>".encode()), mask
        if any(mask.encoding == FRAGMENTS for mask in masks):
            said = {thing: hide(text.encode()).decode() for thing, text in spoken(sent).items()}
            return spoken(kept) == said
        return kept == hide(sent)


def coding(headers: Sequence[tuple[str, str]]) -> str:
    return dict(headers).get("content-encoding", "")


def events_in(stream: bytes) -> Iterator[Any]:
    """Yield a stream's events: lines of data, or the messages of a web socket end to end."""
    lines = [line[6:] for line in stream.splitlines() if line.startswith(b"data: {")]
    text = b"".join(lines or [stream]).decode(errors="surrogatepass")
    at = 0
    while text.startswith("{", at):
        try:
            event, at = json.JSONDecoder().raw_decode(text, at)
        except ValueError:
            return  # cut off
        yield event


def spoken(stream: bytes) -> dict[str, str]:
    """Put a model's stream together: all texts of one kind in one block, one after another."""
    texts: defaultdict[str, str] = defaultdict(str)
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            for kind, text in said(json.loads(line[6:])):
                texts[kind] += text
    return texts


def said(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the kinds of text in one event of a stream, of whatever provider."""
    if isinstance(event.get("delta"), str):  # Responses
        yield f"{event.get('item_id')} {event['type']}", event["delta"]
    elif "candidates" in event:  # Gemini
        for candidate in event["candidates"]:
            for part in candidate.get("content", {}).get("parts", []):
                thought = "thought" if part.get("thought") else "said"
                yield f"{candidate.get('index')} {thought}", str(part.get("text", part))
    elif "choices" in event or isinstance(event.get("delta"), dict):
        for choice in event.get("choices", [event]):
            for kind, text in choice.get("delta", {}).items():
                yield f"{choice.get('index')} {kind}", str(text)
    else:  # what has a whole text, or none
        yield str(event.get("type")), json.dumps(event, ensure_ascii=False)
