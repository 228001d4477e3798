"""Real sockets for the relay's tests: a wire to read and write, scripted servers, a list sink."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import pytest
from cryptography.hazmat.primitives import serialization

from traceproof.proxy.authority import Authority, open_authority
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.hosts import select
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.proxy.routes import parse_routes
from traceproof.proxy.server import Listening, ProxyConfig, ProxyServer
from traceproof.proxy.testing import Script as Play
from traceproof.proxy.testing import Turn
from traceproof.proxy.testing.faults import AnyFault
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.model import Model
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.trust import TrustFiles, write_trust
from traceproof.recorder import semconv
from traceproof.recorder.agents.generic import Generic
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Redactor
from traceproof.recorder.session import Session
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

PATIENCE = 10.0


class Wire:
    """One end of a connection, as a transcript reads: send this, expect that."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.sock = sock
        self._read = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def until(self, marker: bytes) -> bytes:
        """Return what comes up to and with a marker."""
        while marker not in self._read:
            self._more()
        at = self._read.index(marker) + len(marker)
        return self._take(at)

    def exactly(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        return self._take(count)

    def rest(self) -> bytes:
        """Return what comes until the other side ends."""
        with contextlib.suppress(EOFError, ConnectionError, ssl.SSLEOFError):
            while True:
                self._more()
        return self._take(len(self._read))

    def head(self) -> bytes:
        return self.until(b"\r\n\r\n")

    def request(self) -> bytes:
        """Return a request with its body."""
        head = self.head()
        fields = head.lower()
        if b"content-length:" in fields:
            return head + self.exactly(int(fields.split(b"content-length:")[1].split()[0]))
        return head + (self.until(b"0\r\n\r\n") if b"chunked" in fields else b"")

    response = request

    def error(self) -> tuple[str, str]:
        """Return an error of the proxy's own: its status line, and its message."""
        status, _, rest = self.head().decode().partition("\r\n")
        length = next(line for line in rest.split("\r\n") if line.startswith("content-length"))
        body = json.loads(self.exactly(int(length.partition(":")[2])))
        return status, body["error"]["message"]

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.close()

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(self._read)
        self._read += data

    def _take(self, count: int) -> bytes:
        data, self._read = self._read[:count], self._read[count:]
        return data


Script = Callable[[Wire], Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer_all(wire: Wire) -> None:
    """Answer every request of a connection with OK."""
    while wire.request():
        wire.send(OK)


class Server:
    """A server that follows a script on each connection; its script's failures fail the test."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.failures: list[Exception] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def route(self, host: str) -> dict[str, Any]:
        """Return the proxy's settings that send a host's traffic here."""
        return {"routes": parse_routes([f"{host}={self.url}"])}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._follow, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _follow(self, sock: socket.socket) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with Wire(sock) as wire:
                self.script(wire)
        except (EOFError, ConnectionError, ssl.SSLError):
            pass  # the other side went away: each test says elsewhere whether it may
        except Exception as error:  # noqa: BLE001 (the test that asked for us reports it)
            self.failures.append(error)
        finally:
            sock.close()


class ListSink:
    """A sink that keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Exchange]] = []
        self.refusing = False
        self.raising: Exception | None = None
        self._changed = threading.Condition()

    def request_started(self, exchange: Exchange) -> None:
        self._note("request_started", exchange)

    def request_ended(self, exchange: Exchange) -> None:
        self._note("request_ended", exchange)

    def response_started(self, exchange: Exchange) -> None:
        self._note("response_started", exchange)

    def ended(self, exchange: Exchange) -> None:
        self._note("ended", exchange)

    def refuses(self) -> bool:
        return self.refusing

    def calls(self, exchange: Exchange) -> list[str]:
        return [name for name, about in self.told if about is exchange]

    def wait(self, name: str = "ended", count: int = 1) -> Exchange:
        """Return the exchange of the latest such call once there are so many of them."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._named(name)) >= count, PATIENCE)
        assert came, self.told
        return self._named(name)[count - 1]

    def _named(self, name: str) -> list[Exchange]:
        return [about for told, about in self.told if told == name]

    def _note(self, name: str, exchange: Exchange) -> None:
        with self._changed:
            self.told.append((name, exchange))
            self._changed.notify_all()
        if self.raising:
            raise self.raising


class Relay:
    """A started proxy, its sink, and clients for it."""

    def __init__(self, config: ProxyConfig) -> None:
        self.sink = ListSink()
        self.server = ProxyServer(config, self.sink)
        self.listening: Listening = self.server.start()
        self.port = int(self.listening.url.rpartition(":")[2])
        self.authority = config.authority

    def dial(self, port: int = 0) -> Wire:
        return Wire(socket.create_connection(("127.0.0.1", port or self.port)))

    def connect(self, target: str) -> Wire:
        """Return a tunnel through the proxy."""
        wire = self.dial()
        wire.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert wire.head().startswith(b"HTTP/1.1 200 ")
        return wire

    def secure(self, target: str, name: str = "", alpn: tuple[str, ...] = ()) -> Wire:
        """Return a TLS connection through the proxy, as an agent that trusts our CA makes it."""
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        if alpn:
            context.set_alpn_protocols(list(alpn))
        host = name or target.rpartition(":")[0].strip("[]")
        wire = self.connect(target)
        return Wire(context.wrap_socket(wire.sock, server_hostname=host))


class Starting(Protocol):
    def __call__(self, *, hosts: tuple[str, ...] = ..., **fields: Any) -> Relay: ...


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return open_authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA, whose certificates the servers of the tests have."""
    return open_authority(tmp_path_factory.mktemp("company") / "ca")


@pytest.fixture(scope="session")
def trust(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, company: Authority
) -> TrustFiles:
    """The bundles in an environment that trusts the company's CA."""
    folder = tmp_path_factory.mktemp("trust")
    (folder / "company.pem").write_bytes(company.pem)
    return write_trust(folder, {"SSL_CERT_FILE": str(folder / "company.pem")}, authority.pem)


@pytest.fixture
def start(authority: Authority, trust: TrustFiles) -> Iterator[Starting]:
    """Start a proxy; it is stopped after the test."""
    started: list[Relay] = []

    def start(*, hosts: tuple[str, ...] = (), **fields: Any) -> Relay:
        known = select(hosts, fields.get("routes", ()))
        fields = {"roots": trust.roots, "hosts": known, **fields}
        started.append(Relay(ProxyConfig(authority, **fields)))
        return started[-1]

    yield start
    for relay in started:
        relay.server.stop(grace=0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server with a script; it is closed after the test, which fails if the script did."""
    started: list[Server] = []

    def serve(script: Script | None = None, tls: ssl.SSLContext | None = None) -> Server:
        started.append(Server(script or answer_all, tls))
        return started[-1]

    yield serve
    for server in started:
        server.close()
    assert [server.failures for server in started if server.failures] == []


@pytest.fixture
def tls_for(tmp_path: Path) -> Callable[..., ssl.SSLContext]:
    """Return the TLS context of a server with a certificate of some CA for some names."""

    def tls_for(issuer: Authority, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = issuer.issue(names).public_bytes(serialization.Encoding.PEM)
        key = issuer.leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (tmp_path / "server.pem").write_bytes(certificate + key)
        context.load_cert_chain(tmp_path / "server.pem")
        return context

    return tls_for


class Kept:
    """What a recorder has written: its spans with their content, and bodies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with TraceReader.open(path) as reader:
            self.records = list(reader.records(inline=True))
            self._stored = {span.span_id: span for span in reader.spans()}
            self.problems = reader.problems

    @property
    def spans(self) -> list[Span]:
        """All but the root."""
        return [record.span for record in self.records if record.span.parent_id]

    def one(self) -> Span:
        (span,) = self.spans
        return span

    def body(self, span: Span, side: str) -> tuple[bytes, list[Mask]]:
        ref = self._stored[span.span_id].attributes[f"{semconv.REF}traceproof.{side}.body"]
        with TraceReader.open(self.path) as reader:
            return b"".join(reader.iter_body(str(ref))), reader.masks(str(ref))


def conversation(path: str) -> dict[str, Any]:
    """Return a request's only message, as the wire format of a path has it."""
    if ":" in path:
        return {"contents": [{"role": "user", "parts": [{"text": "Hello?"}]}]}
    said = {"role": "user", "content": "Hello?"}
    return {"input" if path.endswith("/responses") else "messages": [said]}


class Desk:
    """Where exchanges are taken in: a session that is recorded, with nothing else around it."""

    def __init__(self, path: Path) -> None:
        self.redactor = Redactor()
        resource = {semconv.SOURCE: "recorder"}
        self.writer = TraceWriter(path, resource=resource, mask=self.redactor.mask)
        root = Span("1" * 32, "a" * 16, "invoke_agent test", start=1)
        root.attributes[semconv.OPERATION_NAME] = "invoke_agent"
        self.session = Session(self.writer, root)
        self.context = IntakeContext(self.writer, self.session, self.redactor, Generic())

    def answered(
        self,
        *parts: AnyPart,
        faults: Sequence[AnyFault] = (),
        piece: int = 16,
        body: bytes | None = None,
        stream: bool = True,
        path: str = "/v1/messages",
    ) -> Exchange:
        """Return a model call with the answer that these parts make."""
        if body is None:
            asked = {"model": "m-1", "max_tokens": 9, "stream": stream}
            body = json.dumps(asked | conversation(path)).encode()
        encodings = [("accept-encoding", "gzip, br, zstd, deflate")]
        head = Head("POST", path, "HTTP/1.1", encodings)
        answer = Model(Play.of([Turn(parts, faults=faults, piece=piece)])).exchange(head, body)
        return self.exchange(
            body,
            answer.answer.chunks,
            status=answer.answer.status,
            response_headers=answer.answer.headers,
            path=path,
        )

    def exchange(self, body: bytes, answer: Sequence[bytes], **more: Any) -> Exchange:
        """Return an exchange as the relay hands it over; a millisecond passes between chunks."""
        fields = {
            "method": "POST",
            "scheme": "https",
            "host": "api.anthropic.com",
            "port": 443,
            "path": "/v1/messages",
            "http_version": "HTTP/1.1",
            "request_headers": [("content-type", "application/json")],
            "started": 10**9,
            "request_chunks": [Chunk(10**9 + 1, body)],
            "request_ended": 10**9 + 2,
            "status": 200,
            "response_started": 10**9 + 10**6,
            "response_chunks": [
                Chunk(10**9 + number * 10**6, data) for number, data in enumerate(answer, 1)
            ],
            "ended": 2 * 10**9,
        }
        return Exchange(**{**fields, **more})

    def take(self, *exchanges: Exchange) -> None:
        """Take in exchanges that are over."""
        for exchange in exchanges:
            intake = Intake(exchange, self.context)
            intake.begin()
            intake.end()

    def kept(self) -> Kept:
        """End the session, and read what was kept of it."""
        self.session.close(3 * 10**9)
        self.writer.close()
        return Kept(self.writer.path)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A session to take exchanges into."""
    opened = Desk(tmp_path / "trace.otlp.jsonl.zst")
    yield opened
    opened.writer.close()
