"""How small a trace is, and how fast it reads: synthetic sessions through the whole recorder.

Raw is one JSON line a model call, `{"request":"…","response":"…"}`, with both bodies whole as text.
What is recorded is what `traceproof record` would: raw bodies, normalised messages, the arrival of
every chunk, tool calls, pending spans; flushed once a turn, as at the pace of a session. The agent
is in `_synthetic.py`. Reading is measured in a process of its own, whose memory is its own.

    python benchmarks/storage.py [TURNS [AGENTS]]
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out

from benchmarks._recorder import Recorder
from benchmarks._synthetic import Agent, corpus
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader

READ = "--read"
ROUNDS = 5
HEADERS = (
    ("content-type", "application/json"),
    ("anthropic-version", "2023-06-01"),
    ("user-agent", "claude-cli/2.1.197 (external, cli)"),
    ("x-claude-code-session-id", "01234567-89ab-cdef-0123-456789abcdef"),
)


class Session:
    """Agents whose calls take turns, and the recorder that takes them in."""

    def __init__(self, path: Path, agents: int) -> None:
        text = corpus()
        self.agents = [Agent(random.Random(seed), text) for seed in range(agents)]
        self.recorder = Recorder(path)
        self.clock = 1_760_000_000_000_000_000
        self.raw = 0

    def turn(self) -> None:
        """Let each agent make one call, and bring it to the disk."""
        for number, agent in enumerate(self.agents):
            request, events = agent.request(), agent.answer()
            self._record(number, agent, request, events)
            raw = {"request": request.decode(), "response": b"".join(events).decode()}
            self.raw += len(json.dumps(raw, ensure_ascii=False).encode()) + 1

    def _record(self, number: int, agent: Agent, request: bytes, events: list[bytes]) -> None:
        exchange = self._exchange(number)
        exchange.request_chunks.append(Chunk(self._tick(50), request))
        exchange.request_ended = self.clock
        self.recorder.request_ended(exchange)
        exchange.status = 200
        exchange.response_headers = (("content-type", "text/event-stream"),)
        exchange.response_started = self._tick(400_000)
        for event in events:
            delay = agent.random.randint(2, 40_000)
            exchange.response_chunks.append(Chunk(self._tick(delay), event))
        exchange.ended = self._tick(10)
        self.recorder.ended(exchange)
        self._tick(3_000_000)
        self._flush()

    def _exchange(self, number: int) -> Exchange:
        whose = (("x-claude-code-agent-id", f"agent-{number}"),) if number else ()
        return Exchange(
            method="POST",
            scheme="https",
            host="api.anthropic.com",
            port=443,
            path="/v1/messages?beta=true",
            http_version="HTTP/1.1",
            request_headers=(*HEADERS, *whose),
            started=self._tick(1000),
        )

    def _flush(self) -> None:
        done = threading.Event()

        def flush() -> None:
            self.recorder.writer.flush()
            done.set()

        self.recorder.run(flush)
        done.wait()

    def _tick(self, microseconds: int) -> int:
        self.clock += microseconds * 1000
        return self.clock


def read(path: Path) -> None:
    """Open, list and inline a trace, and print the figures as JSON."""
    listed = min(_timed(path, inline=False)[0] for _ in range(ROUNDS))
    inlined, size = min(_timed(path, inline=True) for _ in range(ROUNDS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"list": listed * 1e3, "inline": size / inlined / 1e6, "peak": peak}))


def _timed(path: Path, *, inline: bool) -> tuple[float, int]:
    """Return seconds, and the bytes of content put in the place of references."""
    started, size = time.perf_counter(), 0
    with TraceReader.open(path) as reader:
        for span in reader.spans(inline=inline):
            if inline:
                size += sum(len(v) for v in span.attributes.values() if isinstance(v, str | bytes))
        assert not reader.problems, reader.problems
    return time.perf_counter() - started, size


def check(path: Path, agents: list[Agent], turns: int) -> None:
    """Make sure that what is measured is right: all calls are there, the last ones exactly."""
    with TraceReader.open(path) as reader:
        name = semconv.REF + semconv.REQUEST_BODY
        refs = [span.attributes[name] for span in reader.spans() if name in span.attributes]
        assert len(refs) == turns * len(agents)
        for agent, ref in zip(agents, refs[-len(agents) :], strict=True):
            del agent.conversation[-2:]
            assert reader.resolve(str(ref)) == agent.request()


def run(turns: int, agents: int) -> None:
    """Measure one shape and print a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.otlp.jsonl.zst")
        session = Session(path, agents)
        for _ in range(turns):
            session.turn()
        session.recorder.close()
        check(path, session.agents, turns)
        command = [sys.executable, "-P", __file__, READ, str(path)]
        reading = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(reading.stdout)
        stored = path.stat().st_size
    print(
        f"{agents} x {turns} turns: raw {session.raw / 1e6:.0f} MB, "
        f"stored {stored / 1e6:.2f} MB ({stored / turns / agents:.0f} bytes a turn): "
        f"{session.raw / stored:.0f}x\n    open and list {found['list']:.0f} ms, "
        f"inline {found['inline']:.0f} MB/s, peak memory of the reading process {found['peak']} MB"
    )


def main(arguments: list[str]) -> None:
    """Run one shape, or both that the goals are set for."""
    if arguments[:1] == [READ]:
        read(Path(arguments[1]))
    elif arguments:
        run(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1)
    else:
        run(400, 1)
        run(200, 4)


if __name__ == "__main__":
    main(sys.argv[1:])
