"""How small a trace is, and how fast it reads: synthetic sessions through the writer.

Raw is one JSON line a model call, `{"request":…,"response":…}` with both bodies whole as text. A
session is 18 KB of system prompt, 18 tools, tool results of 0.2 to 8 KB (slices of Python's own
source code), a `cache_control` marker that moves along, and answers streamed in pieces of 5 to 20
characters. It is written as a recorder would: a flush a turn, normalised messages beside the raw
bodies, every chunk's time, pending records. Run: `python benchmarks/storage.py [TURNS [SESSIONS]]`.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traceproof.recorder import messages, semconv
from traceproof.recorder.blobs import Ref
from traceproof.recorder.bodies import BodyStore
from traceproof.recorder.chunks import Arrival, encode_chunks
from traceproof.recorder.pieces import Content, Element
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Link, Span, SpanKind, new_span_id, new_trace_id
from traceproof.recorder.writer import TraceWriter

MARKER = {"type": "ephemeral"}
WORDS = (
    "let me check how this function reads the file before we change it and then run the tests "
    "again because the error says that a value is missing from the second argument of the call "
    "I will look at which module defines that class so the fix stays small next step verify"
).split()


@dataclass
class Agent:
    """A synthetic agent: it grows a conversation and gives each call's bytes."""

    random: random.Random
    corpus: str
    conversation: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.system = [
            {"type": "text", "text": "You are a coding agent."},
            {"type": "text", "text": self.code(18_000), "cache_control": MARKER},
        ]
        self.tools = [
            {
                "name": f"tool_{number}",
                "description": self.code(self.random.randint(300, 2500)),
                "input_schema": {
                    "type": "object",
                    "properties": {"path": {"type": "string", "description": self.prose(12)}},
                },
            }
            for number in range(18)
        ]
        self.conversation.append({"role": "user", "content": self.block(self.prose(40))})

    def code(self, size: int) -> str:
        at = self.random.randrange(len(self.corpus) - size)
        return self.corpus[at : at + size]

    def prose(self, words: int) -> str:
        return " ".join(self.random.choices(WORDS, k=words))

    def block(self, text: str) -> list[dict[str, Any]]:
        return [{"type": "text", "text": text}]

    def request(self) -> bytes:
        """Return a request: the last two messages carry the marker."""
        sent = list(self.conversation)
        for at in range(max(0, len(sent) - 2), len(sent)):
            *before, last = sent[at]["content"]
            sent[at] = {**sent[at], "content": [*before, {**last, "cache_control": MARKER}]}
        body = {
            "model": "claude-sonnet-4-5",
            "messages": sent,
            "system": self.system,
            "tools": self.tools,
            "metadata": {"user_id": "user_0123_session_4567"},
            "max_tokens": 32000,
            "stream": True,
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()

    def turn(self) -> tuple[bytes, dict[str, Any]]:
        """Answer with some prose and a tool call; returns the stream and the call."""
        call_id = f"toolu_{self.random.getrandbits(96):024x}"
        prose = self.prose(self.random.randint(10, 60))
        arguments = {"path": f"/src/{self.prose(1)}/{self.prose(1)}.py", "command": self.code(80)}
        call = {"type": "tool_use", "id": call_id, "name": "tool_3", "input": arguments}
        self.conversation.append({"role": "assistant", "content": [*self.block(prose), call]})
        stream = "".join(self.events(prose, call))
        result = self.code(self.random.randint(200, 8000))
        answer = {"type": "tool_result", "tool_use_id": call_id, "content": result}
        self.conversation.append({"role": "user", "content": [answer]})
        return stream.encode(), {**call, "result": result, "prose": prose}

    def events(self, prose: str, call: dict[str, Any]) -> Iterator[str]:
        message = {"id": f"msg_{self.random.getrandbits(96):024x}", "role": "assistant"}
        usage = {"input_tokens": self.random.randint(1, 99), "output_tokens": 1}
        yield event("message_start", message={**message, "usage": usage})
        block = {"type": "text", "text": ""}
        yield event("content_block_start", index=0, content_block=block)
        for piece in self.pieces(prose):
            delta = {"type": "text_delta", "text": piece}
            yield event("content_block_delta", index=0, delta=delta)
        yield event("content_block_stop", index=0)
        yield event("content_block_start", index=1, content_block={**call, "input": {}})
        for piece in self.pieces(json.dumps(call["input"])):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield event("content_block_delta", index=1, delta=delta)
        yield event("content_block_stop", index=1)
        stop = {"stop_reason": "tool_use", "stop_sequence": None}
        usage = {"output_tokens": self.random.randint(50, 400)}
        yield event("message_delta", delta=stop, usage=usage)
        yield event("message_stop")

    def pieces(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            size = self.random.randint(5, 20)
            yield text[at : at + size]
            at += size


def event(name: str, **data: Any) -> str:
    body = json.dumps({"type": name, **data}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {name}\ndata: {body}\n\n"


def normalise(element: bytes) -> bytes:
    """Translate a message as a dialect would."""
    message = json.loads(element)
    parts = []
    for block in message["content"]:
        match block["type"]:
            case "text":
                parts.append(messages.text(block["text"]))
            case "tool_use":
                parts.append(messages.tool_call(block["id"], block["name"], block["input"]))
            case _:
                parts.append(messages.tool_call_response(block["tool_use_id"], block["content"]))
    return messages.encode(messages.Message(message["role"], parts))


class Recorder:
    """Writes one agent's calls as the proxy's recorder would."""

    def __init__(self, writer: TraceWriter, root: Span) -> None:
        self.writer = writer
        self.root = root
        self.bodies = BodyStore(writer, ("messages", "system", "tools"))
        self.normalised: dict[Content, str] = {}
        self.clock = 1_760_000_000_000_000_000

    def call(self, agent: Agent) -> int:
        """Record one call and its tool call; returns the length of its raw line."""
        request = agent.request()
        span = self.chat(request)
        self.writer.pending(span)
        response, tool = agent.turn()
        self.answer(span, response, agent, tool)
        self.tool(span, tool)
        self.writer.flush()
        raw = {"request": request.decode(), "response": response.decode()}
        return len(json.dumps(raw, ensure_ascii=False).encode()) + 1

    def chat(self, request: bytes) -> Span:
        stored = self.bodies.store(request)
        parts = [self.message(element) for element in stored.split.elements("messages")]
        tools = [element.content.data for element in stored.split.elements("tools")]
        system = [element.content.data for element in stored.split.elements("system")]
        ref = semconv.REF
        return Span(
            self.root.trace_id,
            new_span_id(),
            "chat claude-sonnet-4-5",
            SpanKind.CLIENT,
            self.root.span_id,
            self.tick(50_000),
            attributes={
                semconv.OPERATION_NAME: "chat",
                semconv.PROVIDER_NAME: "anthropic",
                semconv.REQUEST_MODEL: "claude-sonnet-4-5",
                semconv.CALL_PURPOSE: "main",
                semconv.CONVERSATION_ID: "01234567-89ab-cdef-0123-456789abcdef",
                "gen_ai.request.max_tokens": 32000,
                semconv.REQUEST_STREAM: True,
                semconv.SERVER_ADDRESS: "api.anthropic.com",
                semconv.SERVER_PORT: 443,
                semconv.DIALECT: "anthropic.messages",
                semconv.URL_PATH: "/v1/messages",
                semconv.HTTP_METHOD: "POST",
                ref + semconv.REQUEST_BODY: stored.ref,
                ref + semconv.INPUT_MESSAGES: self.writer.list_(parts, "input"),
                ref + semconv.TOOL_DEFINITIONS: self.list_of("tools", tools),
                ref + semconv.SYSTEM_INSTRUCTIONS: self.list_of("system", system),
                semconv.CALL_STATE: "pending",
            },
        )

    def list_of(self, kind: str, elements: list[bytes]) -> str:
        return self.writer.list_([self.writer.element(data) for data in elements], f"n-{kind}")

    def message(self, element: Element) -> str:
        name = self.normalised.get(element.content)
        if name is None:
            name = self.writer.element(normalise(element.content.data))
            self.normalised[element.content] = name
        return name

    def answer(self, span: Span, response: bytes, agent: Agent, tool: dict[str, Any]) -> None:
        chunks = [len(chunk) + 2 for chunk in response.split(b"\n\n")[:-1]]
        arrivals = [Arrival(self.tick(agent.random.randint(2, 40_000)), size) for size in chunks]
        newest = json.dumps(agent.conversation[-2], ensure_ascii=False).encode()
        output = self.writer.element(normalise(newest))
        span.end = self.clock
        span.attributes |= {
            semconv.CALL_STATE: "complete",
            semconv.HTTP_STATUS: 200,
            semconv.RESPONSE_ID: f"msg_{agent.random.getrandbits(96):024x}",
            semconv.RESPONSE_MODEL: "claude-sonnet-4-5-20250929",
            semconv.FINISH_REASONS: ["tool_call"],
            semconv.INPUT_TOKENS: agent.random.randint(10_000, 200_000),
            semconv.OUTPUT_TOKENS: agent.random.randint(50, 400),
            semconv.CACHE_READ_TOKENS: agent.random.randint(10_000, 200_000),
            semconv.TIME_TO_FIRST_CHUNK: (arrivals[0].time - span.start) / 1e9,
            semconv.RESPONSE_CHUNKS: encode_chunks(span.start, arrivals),
            semconv.REF + semconv.RESPONSE_BODY: self.writer.blob(response),
            semconv.REF + semconv.OUTPUT_MESSAGES: self.writer.list_([output], "output"),
        }
        self.writer.span(span)
        del tool

    def tool(self, chat: Span, call: dict[str, Any]) -> None:
        attributes = {
            semconv.OPERATION_NAME: "execute_tool",
            semconv.TOOL_NAME: call["name"],
            semconv.TOOL_TYPE: "function",
            semconv.TOOL_CALL_ID: call["id"],
            semconv.JOIN: "exact",
            semconv.TOOL_CALL_ARGUMENTS: json.dumps(call["input"], ensure_ascii=False),
        }
        link = Link(chat.trace_id, chat.span_id, {semconv.LINK_TYPE: "requested_by"})
        span = Span(
            chat.trace_id,
            new_span_id(),
            f"execute_tool {call['name']}",
            parent_id=self.root.span_id,
            start=chat.end,
            attributes=attributes,
            links=[link],
        )
        self.writer.pending(span)
        span.end = self.tick(3_000_000)
        result = call["result"]
        span.attributes[semconv.TOOL_STATE] = "answered"
        if len(result) <= 1024:
            span.attributes[semconv.TOOL_CALL_RESULT] = result
        else:
            span.attributes[semconv.REF + semconv.TOOL_CALL_RESULT] = self.writer.text(result)
        self.writer.span(span)

    def tick(self, microseconds: int) -> int:
        self.clock += microseconds * 1000
        return self.clock


def corpus() -> str:
    """Return Python's own library as text: realistic, and on every machine."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return "".join(file.read_text("utf-8", "replace") for file in files)


def write(path: Path, turns: int, sessions: int) -> tuple[int, float]:
    """Write a trace of interleaved sessions; returns raw bytes and seconds spent recording."""
    text = corpus()
    agents = [Agent(random.Random(seed), text) for seed in range(sessions)]
    root = Span(new_trace_id(), new_span_id(), "invoke_agent benchmark", start=1)
    raw = 0
    writer = TraceWriter(path, resource={"service.name": "traceproof", "host.name": "bench"})
    writer.pending(root)
    recorders = [Recorder(writer, root) for _ in agents]
    started = time.process_time()
    for _ in range(turns):
        for recorder, agent in zip(recorders, agents, strict=True):
            raw += recorder.call(agent)
    root.end = 2
    writer.span(root)
    assert writer.close()
    return raw, time.process_time() - started


def read(path: Path) -> tuple[float, float, int]:
    """Return the seconds to open and list, the seconds to inline all, and the bytes inlined."""
    started = time.perf_counter()
    with TraceReader.open(path) as reader:
        count = sum(1 for _ in reader.records())
    listed = time.perf_counter() - started
    started = time.perf_counter()
    size = 0
    with TraceReader.open(path) as reader:
        for span in reader.spans(inline=True):
            size += sum(len(v) for v in span.attributes.values() if isinstance(v, str | bytes))
        assert not reader.problems, reader.problems
    assert count
    return listed, time.perf_counter() - started, size


def check(path: Path) -> None:
    """Read one body back, to show that what is measured is right."""
    with TraceReader.open(path) as reader:
        for span in reader.spans():
            ref = span.attributes.get(semconv.REF + semconv.REQUEST_BODY)
            if ref:
                json.loads(reader.resolve(Ref.parse(str(ref))))
                return


def run(turns: int, sessions: int) -> None:
    """Measure one shape and print a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.otlp.jsonl.zst")
        raw, recording = write(path, turns, sessions)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        check(path)
        times = [read(path) for _ in range(3)]
        listed, _, size = min(times)
        inlined = min(row[1] for row in times)
        stored = path.stat().st_size
        calls = turns * sessions
        print(
            f"{sessions} x {turns} turns: raw {raw / 1e6:.0f} MB, stored {stored / 1e6:.2f} MB "
            f"({stored / calls:.0f} B/turn), {raw / stored:.0f}x; open+list {listed * 1e3:.0f} ms; "
            f"inline {size / inlined / 1e6:.0f} MB/s of {size / 1e6:.0f} MB; "
            f"recording {recording / calls * 1e3:.1f} ms CPU/turn incl. the agent; "
            f"peak RSS {before // 1024} MB before reading, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB after"
        )


def main(arguments: list[str]) -> None:
    if arguments:
        run(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1)
        return
    run(400, 1)
    run(200, 4)


if __name__ == "__main__":
    main(sys.argv[1:])
