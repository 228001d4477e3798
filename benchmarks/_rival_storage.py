"""What the same conversation takes on disk: traceproof's file, claude-tap's, mitmdump's.

A synthetic agent (`_synthetic.py`) resends its whole conversation with each call, through each
proxy in turn; the upstream answers with prepared bytes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from benchmarks import _ways as ways
from benchmarks._load import NAME, Where
from benchmarks._synthetic import Agent, corpus
from benchmarks.relay import prepare


class Turn(NamedTuple):
    """One model call: the request's body, and the events of the answer."""

    request: bytes
    events: list[bytes]


class Stored(NamedTuple):
    """What one way made of it."""

    name: str
    size: int


def measure(turns: int) -> list[Stored]:
    """Send a conversation of so many turns through each way; return raw first."""
    agent = Agent(random.Random(0), corpus())
    sent = [Turn(agent.request(), agent.answer()) for _ in range(turns)]
    raw = sum(len(_raw(turn)) for turn in sent)
    return [Stored("raw, a JSON line a call", raw), *_through_each(sent)]


def _raw(turn: Turn) -> bytes:
    row = {"request": turn.request.decode(), "response": b"".join(turn.events).decode()}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _through_each(turns: list[Turn]) -> Iterator[Stored]:
    with tempfile.TemporaryDirectory(prefix="traceproof-rivals-") as name, _answering(turns) as to:
        folder = Path(name)
        prepare(folder, NAME)
        site = ways.Site(folder, ways.REVERSE, to, 0)
        every: list[tuple[str, AbstractContextManager[ways.Way]]] = [
            ("`mitmdump -w`", ways.mitmdump(site, folder / "flows.mitm")),
            ("claude-tap (as it comes: no stream events)", ways.claude_tap(site)),
            ("claude-tap `--tap-store-stream-events`", ways.claude_tap(site, events=True)),
            ("traceproof", ways.traceproof(site)),
        ]
        for shown, opening in every:
            with opening as way:
                _converse(way.where, turns)
            recorded = way.recorded() if way.recorded else len(turns)
            if recorded != len(turns):
                raise RuntimeError(f"{shown} has {recorded} of {len(turns)} calls on record")
            yield Stored(shown, way.size())


def _converse(where: Where, turns: list[Turn]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=60)
    headers = {"Content-Type": "application/json", "anthropic-version": "2023-06-01"}
    for number, turn in enumerate(turns):
        headers["x-turn"] = str(number)
        connection.request("POST", where.path + "/v1/messages", turn.request, headers)
        if connection.getresponse().read() != b"".join(turn.events):
            raise RuntimeError(f"turn {number} was changed on its way")
    connection.close()


@contextlib.contextmanager
def _answering(turns: list[Turn]) -> Iterator[int]:
    """Serve each turn's events, an HTTP chunk each; give the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, turns))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, turns: list[Turn], *arguments: object) -> None:
        self._turns = turns
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server hands them over

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in self._turns[int(self.headers["x-turn"])].events:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def markdown(turns: int, found: list[Stored]) -> str:
    """Return a table to paste, with the command."""
    raw, ours = found[0].size, found[-1].size
    lines = [
        f"```sh\npython -P benchmarks/rivals.py --modes '' --turns {turns}\n```",
        "",
        f"| {turns} turns | bytes | raw ÷ this | this ÷ traceproof's |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {size:,} | {raw / size:.1f} | {size / ours:.1f} |" for name, size in found
    ]
    return "\n".join([*lines, ""])
