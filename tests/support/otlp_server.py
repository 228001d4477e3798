"""A server that takes OTLP over HTTP, or does not, as a test says."""

from __future__ import annotations

import gzip
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from support import otlp_consumer


class Asked(NamedTuple):
    """One request: its path, its headers (lower-case), and the message in it."""

    path: str
    headers: dict[str, str]
    message: ExportTraceServiceRequest

    @property
    def spans(self) -> list[Any]:
        return [span for _, _, span in otlp_consumer.spans([self.message])]


class Reply(NamedTuple):
    """What is answered; `rejected` spans of a success, `most` bytes that are taken."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    rejected: int = 0
    text: str = ""
    most: int = 1 << 40


class OtlpServer:
    """Answers `replies` in turn, and then success; a context manager."""

    def __init__(
        self, *replies: Reply, always: Reply | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.asked: list[Asked] = []
        waiting, lock = list(replies), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                plain = gzip.decompress(body) if self.headers["content-encoding"] else body
                with lock:
                    reply = waiting.pop(0) if waiting else always or Reply()
                    if len(plain) > reply.most:
                        reply = Reply(413, text="too large")
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    message = ExportTraceServiceRequest.FromString(plain)
                    outer.asked.append(Asked(self.path, headers, message))
                    if reply.status == 200:
                        outer.taken += outer.asked[-1].spans
                self.answer(reply)

            def answer(self, reply: Reply) -> None:
                said = ExportTraceServiceResponse()
                if reply.rejected:
                    said.partial_success.rejected_spans = reply.rejected
                    said.partial_success.error_message = reply.text
                body = reply.text.encode() if reply.status != 200 else said.SerializeToString()
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                if "content-type" not in dict(reply.headers):
                    self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.taken: list[Any] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ids(self) -> list[str]:
        """The ids of the spans that were taken, in order."""
        return [span.span_id.hex() for span in self.taken]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
