"""What passes in the relay benchmark: a server that streams answers, and a client that asks.

Each is run as a process of its own by `relay.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from pathlib import Path
from typing import Any, NamedTuple

HOST = "api.anthropic.com"
CHUNKS = 200
MESSAGES = 100
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"\r\n0\r\n\r\n"


def event(kind: str, **fields: Any) -> bytes:
    """Return a chunk that holds one event of a model's answer."""
    data = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "some words "})
MESSAGE = {"id": "msg_1", "role": "assistant", "model": "m", "usage": {"input_tokens": 9}}
BEFORE = event("message_start", message=MESSAGE) + event(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
AFTER = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 400})
    + event("message_stop")
)


def conversation(size: int) -> bytes:
    """Return a request of about so many bytes that ends before its last text."""
    text = "x = call(first, second)  # some line of a program\n" * (size // MESSAGES // 50)
    messages = [
        {"role": role, "content": f"{number} {text}"}
        for number in range(MESSAGES // 2)
        for role in ("user", "assistant")
    ]
    body = {"model": "m", "stream": True, "messages": messages if text else []}
    return json.dumps(body, separators=(",", ":")).encode().removesuffix(b"]}") + (
        b"," if text else b""
    )


LAST = b'{"role":"user","content":"call %012d"}]}'
"""What a request ends with: something new each time."""


class Scenario(NamedTuple):
    """A load: so many streams at once, each asked for with a body of so many bytes."""

    at_once: int
    body: int
    streams: int

    def __str__(self) -> str:
        return f"{self.at_once:>2} at once, {self.body / 1000:>5.1f} kB requests"


# The upstream process


async def upstream(folder: Path) -> None:
    """Serve streams, plain and by TLS, until killed; print both ports."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    plain = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
    secure = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, limit=1 << 20)
    ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection with a stream, a write for each chunk."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
            writer.write(HEAD + BEFORE)
            for _ in range(CHUNKS):
                writer.write(DELTA)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(AFTER + END[2:])
    writer.close()


# The client process


async def client(port: int, proxied: bool, folder: Path, load: Scenario) -> None:
    """Put a load on a server or a proxy, and print its times in seconds."""
    context = ssl.create_default_context(cafile=folder / "trusted.pem")
    requests = Requests(load.body)
    streams = [await connect(port, proxied, context) for _ in range(load.at_once)]
    await asyncio.gather(*(call(*stream, requests.next()) for stream in streams))
    each = load.streams // load.at_once
    started = time.perf_counter()
    rows = await asyncio.gather(*(calls(*stream, requests, each) for stream in streams))
    elapsed = time.perf_counter() - started
    times = [row for rows_of_one in rows for row in rows_of_one]
    print(json.dumps({"elapsed": elapsed, "times": times}))


class Requests:
    """Requests that resend a conversation with something new at its end."""

    def __init__(self, size: int) -> None:
        self._body = conversation(size)
        self._number = 0
        length = len(self._body) + len(LAST % 0)
        self._head = b"POST /v1/messages HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (
            HOST.encode(),
            length,
        )

    def next(self) -> bytes:
        """Return one more."""
        self._number += 1
        return self._head + self._body + LAST % self._number


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(port: int, proxied: bool, context: ssl.SSLContext) -> Connection:
    """Return a TLS connection, through CONNECT where there is a proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if proxied:
        writer.write(b"CONNECT %s:443 HTTP/1.1\r\n\r\n" % HOST.encode())
        await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname=HOST)
    return reader, writer


async def calls(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: Requests, count: int
) -> list[tuple[float, float]]:
    """Make calls one after the other."""
    return [await call(reader, writer, requests.next()) for _ in range(count)]


async def call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[float, float]:
    """Make one call; return the time to its first byte and to its end."""
    started = time.perf_counter()
    writer.write(request)
    data = await reader.read(65536)
    first = time.perf_counter() - started
    while not data.endswith(END):
        more = await reader.read(65536)
        if not more:
            raise EOFError("the stream was cut off")
        data = data[-len(END) :] + more
    return first, time.perf_counter() - started
