"""The two ends of the soak: agents that hold conversations, and a model that streams answers.

Each runs in a process of its own. An agent asks, hears the answer out, and asks again with the
whole conversation, on one kept connection; after some turns it is a new session.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import ssl
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

HOST = "api.anthropic.com"
END = b"0\r\n\r\n"
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Request-Id: req_%s\r\n\r\n"
)
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "goes", "home"]


class Load(NamedTuple):
    """What is put on the proxy; `pause` in seconds between two chunks."""

    streams: int = 200
    chunks: int = 100
    pause: float = 0.05
    turns: int = 20


# --- the model ------------------------------------------------------------------------------------


async def model(load: Load) -> None:
    """Listen, print the port, and answer until this process is ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await _answer(reader, writer, load)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, load: Load) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(_field(head, b"content-length")))
    number = _field(head, b"x-call")
    writer.write(HEAD % number)
    loop = asyncio.get_running_loop()
    due = loop.time()
    for event in events(number.decode(), load.chunks):
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        due += load.pause
        await writer.drain()
        await asyncio.sleep(max(due - loop.time(), 0))
    writer.write(END)


def _field(head: bytes, name: bytes) -> bytes:
    return head.split(b"\r\n" + name + b":")[1].split(b"\r\n")[0].strip()


def events(number: str, chunks: int) -> Iterator[bytes]:
    """Yield an answer of so many texts, each an event."""
    usage = {"input_tokens": 100, "output_tokens": chunks}
    message: dict[str, Any] = {"id": f"msg_{number}", "type": "message", "role": "assistant"}
    message |= {"model": "claude-sonnet-4-5", "content": [], "stop_reason": None, "usage": usage}
    yield _event("message_start", message=message)
    block = {"type": "text", "text": ""}
    yield _event("content_block_start", index=0, content_block=block)
    for word in itertools.islice(itertools.cycle(WORDS), chunks):
        yield _event("content_block_delta", index=0, delta=_text(f"{word} "))
    yield _event("content_block_stop", index=0)
    yield _event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
    yield _event("message_stop")


def _text(text: str) -> dict[str, str]:
    return {"type": "text_delta", "text": text}


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


# --- the agents -----------------------------------------------------------------------------------


class Agents:
    """Many agents at once, until they are told to stop."""

    def __init__(self, port: int, certificate: str, load: Load, prefix: str) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=certificate)
        self._load = load
        self._prefix = prefix
        self._numbers = itertools.count()
        self._stopping = False
        self.whole: dict[str, int] = {}
        """Calls whose answer came whole, and when (Unix nanoseconds)."""
        self.failed: list[str] = []
        self.slowest = 0.0

    async def run(self) -> None:
        """Run until SIGTERM, and then until every call is over; print what was heard."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        await asyncio.gather(*(self._agent(n) for n in range(self._load.streams)))
        json.dump({"whole": self.whole, "failed": self.failed, "slowest": self.slowest}, sys.stdout)

    def _stop(self) -> None:
        self._stopping = True

    async def _agent(self, number: int) -> None:
        # Agents do not begin together, nor do their sessions end together.
        length = self._load.chunks * self._load.pause
        await asyncio.sleep(length * number / self._load.streams)
        turns = itertools.chain([1 + number % self._load.turns], itertools.repeat(self._load.turns))
        while not self._stopping:
            try:
                await self._session(next(turns))
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                self.failed.append(str(error) or type(error).__name__)
                await asyncio.sleep(0.2)

    async def _session(self, turns: int) -> None:
        reader, writer = await self._connect()
        session, messages = str(uuid.uuid4()), list[dict[str, str]]()
        try:
            for turn in range(turns):
                if self._stopping:
                    return
                call = f"{self._prefix}{next(self._numbers)}"
                messages.append({"role": "user", "content": f"Turn {turn} of {session}: go on."})
                await self._call(reader, writer, session, call, messages)
                said = " ".join(itertools.islice(itertools.cycle(WORDS), self._load.chunks)) + " "
                messages.append({"role": "assistant", "content": said})
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"CONNECT %s:443 HTTP/1.1\r\n\r\n" % HOST.encode())
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(self._tls, server_hostname=HOST)
        return reader, writer

    async def _call(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: str,
        call: str,
        messages: list[dict[str, str]],
    ) -> None:
        asked = {"model": "claude-sonnet-4-5", "max_tokens": 999, "stream": True}
        body = json.dumps({**asked, "messages": messages}).encode()
        head = (
            f"POST /v1/messages HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: claude-cli/2.1.197\r\n"
            f"X-Claude-Code-Session-Id: {session}\r\nX-Call: {call}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.monotonic()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer[:20]:
            raise EOFError(answer[:20].decode("latin-1"))
        last = b""
        while not last.endswith(END):
            data = await reader.read(65536)
            if not data:
                raise EOFError("the answer was cut off")
            last = last[-len(END) :] + data
        self.whole[call] = time.time_ns()
        self.slowest = max(self.slowest, time.monotonic() - began)
