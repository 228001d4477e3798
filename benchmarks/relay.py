"""What the relay costs: direct, bare mitmdump and traceproof, side by side in one run.

Client, upstream and proxy are processes of their own. The client does what an agent does (CONNECT,
TLS, a kept connection, streamed answers); the upstream streams 200 chunks. Rounds alternate
between the three ways, since a shared machine's noise comes and goes; figures are medians of
rounds. The proxy's own CPU time a stream is the figure that noise touches least.

    python benchmarks/relay.py
    python benchmarks/relay.py --rounds 7 --sink package.module:factory

traceproof records in full: it masks, parses, compresses and writes, a session of its own for the
run. `--sink` measures the relay with another sink: a factory takes a folder to write in and returns
a Sink; it runs in the proxy's process. If the sink has `close()`, that is called at the end.
`benchmarks.relay:keep_last` is one that does nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization

from traceproof.proxy.authority import open_authority
from traceproof.proxy.exchange import Exchange, Sink
from traceproof.proxy.hosts import select
from traceproof.proxy.routes import parse_routes

HOST = "api.anthropic.com"
CHUNKS = 200
MESSAGES = 100
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"\r\n0\r\n\r\n"

MITMDUMP = """
def requestheaders(flow):
    flow.request.stream = lambda data: data
    data = flow.request.data
    data.host, data.port, data.scheme = "127.0.0.1", {port}, b"http"

def responseheaders(flow):
    flow.response.stream = lambda data: data
"""


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


SCENARIOS = (
    Scenario(1, 500, 20),
    Scenario(1, 200_000, 20),
    Scenario(20, 500, 60),
    Scenario(20, 200_000, 60),
)


class Figures(NamedTuple):
    """What one round of a scenario gave; milliseconds, but for streams a second."""

    latency: float
    first_byte: float
    rate: float
    cpu: float


@dataclass
class KeepLast:
    """A sink that does nothing but hold each exchange while it lasts."""

    held: dict[int, Exchange] = field(default_factory=dict)

    def request_started(self, exchange: Exchange) -> None:
        """Hold it."""
        self.held[id(exchange)] = exchange

    def request_ended(self, exchange: Exchange) -> None:
        """Do nothing."""

    def response_started(self, exchange: Exchange) -> None:
        """Do nothing."""

    def ended(self, exchange: Exchange) -> None:
        """Let go of it."""
        self.held.pop(id(exchange), None)

    def refuses(self) -> bool:
        """Never refuse."""
        return False


def keep_last(_: Path) -> Sink:
    """Return the default sink."""
    return KeepLast()


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


# The proxy process


def traceproof(folder: Path, port: int, factory: str) -> None:
    """Run our proxy until its standard input ends; print its port."""
    from traceproof.proxy.server import ProxyConfig, ProxyServer  # noqa: PLC0415

    module, _, name = factory.partition(":")
    make: Callable[[Path], Any] = getattr(importlib.import_module(module), name)
    sink = make(folder)
    routes = parse_routes([f"{HOST}=http://127.0.0.1:{port}"])
    config = ProxyConfig(
        open_authority(folder / "ca"), folder / "trusted.pem", select((), routes), routes
    )
    server = ProxyServer(config, sink)
    print(json.dumps([int(server.start().url.rpartition(":")[2])]), flush=True)
    sys.stdin.read()
    server.stop()
    if hasattr(sink, "close"):
        sink.close()


# The run


class Way(NamedTuple):
    """One of the three ways to the upstream."""

    name: str
    port: int
    process: int | None


def main() -> None:
    """Run the benchmark, or the part of it that a child process is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sink", default="", metavar="MODULE:FACTORY")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part(json.loads(options.part))
        return
    with (
        tempfile.TemporaryDirectory(prefix="traceproof-relay-") as folder,
        ways(Path(folder), options.sink) as three,
    ):
        rounds = [measure(Path(folder), three, number) for number in range(options.rounds)]
    figures = {
        way.name: [median([one[way.name][n] for one in rounds]) for n in range(len(SCENARIOS))]
        for way in three
    }
    print(json.dumps(figures) if options.json else table(figures))


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def part(what: dict[str, Any]) -> None:
    """Be one of the processes."""
    folder = Path(what["folder"])
    match what["role"]:
        case "upstream":
            asyncio.run(upstream(folder))
        case "client":
            asyncio.run(client(what["port"], what["proxied"], folder, Scenario(*what["load"])))
        case "traceproof":
            traceproof(folder, what["port"], what["sink"])


@contextlib.contextmanager
def ways(folder: Path, sink: str) -> Iterator[list[Way]]:
    """Start upstream and proxies."""
    prepare(folder)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(child(role="upstream", folder=str(folder)))
        plain, secure = ports(served)
        ours = stack.enter_context(
            child(role="traceproof", folder=str(folder), port=plain, sink=sink or _DEFAULT)
        )
        (own,) = ports(ours)
        theirs, port = mitmdump(folder, plain)
        stack.enter_context(ended(theirs))
        yield [
            Way("direct", secure, None),
            Way("mitmdump", port, theirs.pid),
            Way("traceproof", own, ours.pid),
        ]


_DEFAULT = "_recorder:sink"


def prepare(folder: Path) -> None:
    """Write the certificates: one CA for us, mitmdump and the direct upstream."""
    authority = open_authority(folder / "ca")
    leaf = authority.issue([HOST]).public_bytes(serialization.Encoding.PEM)
    key = authority.leaf_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(leaf + key)
    subprocess.run(
        [sys.executable, "-c", _MITMPROXY_CA, str(folder)], check=True, capture_output=True
    )
    theirs = (folder / "mitmproxy-ca-cert.pem").read_bytes()
    (folder / "trusted.pem").write_bytes(authority.pem + theirs)


_MITMPROXY_CA = """
import sys
from mitmproxy.certs import CertStore
CertStore.from_store(sys.argv[1], "mitmproxy", 2048)
"""


def mitmdump(folder: Path, upstream_port: int) -> tuple[subprocess.Popen[str], int]:
    """Start a bare, silent mitmdump; return it and its port once it listens."""
    script = folder / "bare.py"
    script.write_text(MITMDUMP.format(port=upstream_port))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("mitmdump")), "--quiet"]
    command += ["--set", f"confdir={folder}", "-s", str(script)]
    command += ["--set", "connection_strategy=lazy", "--set", "http2=false"]
    command += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    while process.poll() is None:
        with contextlib.suppress(ConnectionError):
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        time.sleep(0.05)
    raise RuntimeError("mitmdump did not start")


@contextlib.contextmanager
def child(**what: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a part of the benchmark beside us; it ends with the block."""
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, __file__, "--part", json.dumps(what)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    with ended(process):
        yield process


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def ports(process: subprocess.Popen[str]) -> list[int]:
    """Return the ports that a part says it listens on."""
    assert process.stdout
    found: list[int] = json.loads(process.stdout.readline())
    return found


def measure(folder: Path, three: list[Way], number: int) -> dict[str, list[Figures]]:
    """Put each load on each way, beginning with another one each time."""
    turned = three[number % 3 :] + three[: number % 3]
    found: dict[str, list[Figures]] = {way.name: [] for way in three}
    for load in SCENARIOS:
        for way in turned:
            found[way.name].append(measure_one(folder, way, load))
    return found


def measure_one(folder: Path, way: Way, load: Scenario) -> Figures:
    """Put one load on one way."""
    before = cpu_seconds(way.process)
    what = {
        "role": "client",
        "folder": str(folder),
        "port": way.port,
        "proxied": way.process is not None,
        "load": load,
    }
    result = subprocess.run(
        [sys.executable, __file__, "--part", json.dumps(what)],
        capture_output=True,
        text=True,
        check=True,
    )
    times = json.loads(result.stdout)
    streams = len(times["times"])
    spent = cpu_seconds(way.process) - before
    return Figures(
        latency=1000 * statistics.median(total for _, total in times["times"]),
        first_byte=1000 * statistics.median(first for first, _ in times["times"]),
        rate=streams / times["elapsed"],
        cpu=1000 * spent / (streams + load.at_once),
    )


def cpu_seconds(process: int | None) -> float:
    """Return the CPU time that a process has used."""
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(rounds: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))


def table(figures: dict[str, list[Figures]]) -> str:
    """Return the figures to read, each way beside the ratio to bare mitmdump."""
    lines = [f"streams of {CHUNKS} chunks; (x…) is the ratio to bare mitmdump"]
    for number, load in enumerate(SCENARIOS):
        base = figures["mitmdump"][number]
        lines += ["", f"{load}", f"{'':<12}{_TITLES}"]
        for name, rows in figures.items():
            cells = [f"{a:>9.2f} ({_ratio(a, b)})" for a, b in zip(rows[number], base, strict=True)]
            lines.append(f"  {name:<10}{''.join(f'{cell:>20}' for cell in cells)}")
    return "\n".join(lines)


_TITLES = "".join(
    f"{title:>20}" for title in ("p50 ms", "first byte ms", "streams/s", "proxy CPU ms")
)


def _ratio(value: float, base: float) -> str:
    return f"x{value / base:.2f}" if base else "-"


if __name__ == "__main__":
    main()
