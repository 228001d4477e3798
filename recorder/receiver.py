"""An OTLP/HTTP receiver for the spans that the agent sends of itself.

It listens on the loopback interface, on a port picked free, under a path that only the launched
agent is told. Sockets and threads live here; what a request means is decided in
`traceproof.recorder.otlp_http`.
"""

from __future__ import annotations

import logging
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

from traceproof.recorder import otlp
from traceproof.recorder.http_body import BodyTooLargeError, read_body
from traceproof.recorder.otlp_http import Answer, Request, answer, refusal

log = logging.getLogger(__name__)

OnTraces: TypeAlias = Callable[[otlp.TracesData], None]
OnOther: TypeAlias = Callable[[str, str, bytes], None]
"""Takes the signal (`logs` or `metrics`), the content type, and the body, decompressed."""

BODY_LIMIT = 16 << 20
_BODY_TIMEOUT = 30.0
_LINGER = 1.0


class Receiver:
    """Takes OTLP in; one call of a callback at a time, from threads of its own.

    Args:
        on_traces: Takes the spans of one request; when it comes back the agent gets its answer.
        on_other: Takes logs and metrics; without it they are counted and dropped.
        limit: The most bytes that a body may have, as sent and decompressed.
    """

    def __init__(
        self, on_traces: OnTraces, *, on_other: OnOther | None = None, limit: int = BODY_LIMIT
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Requests by signal; `refused` are those not taken, `lost` those a callback failed on."""
        self._on_traces = on_traces
        self._on_other = on_other
        self._taking = threading.Lock()
        self._secret = secrets.token_urlsafe(24)
        self._limit = limit
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="otlp-receiver", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """The base address (`/v1/traces` comes after it): whoever knows it may send."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._secret}"

    @property
    def limit(self) -> int:
        """The most bytes that a body may have."""
        return self._limit

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, deadline: float = 5.0) -> None:
        """Take no more connections and return when the requests in flight have been answered.

        Args:
            deadline: How many seconds to wait for them.
        """
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.drain(deadline)
        self._server.server_close()

    def take(self, request: Request) -> Answer:
        """Decide on a request and hand on what it brought."""
        decided = answer(request, secret=self._secret, limit=self._limit)
        with self._taking:
            try:
                self._hand_on(decided)
            except Exception:
                log.exception("the %s an agent sent of itself were lost", decided.signal)
                self.counts["lost"] += 1
                return refusal(500, "the recorder failed", decided.content_type)
            self.counts[decided.signal or "refused"] += 1
        return decided

    def _hand_on(self, decided: Answer) -> None:
        if decided.traces is not None:
            self._on_traces(decided.traces)
        elif decided.signal and self._on_other is not None:
            self._on_other(decided.signal, decided.content_type, decided.payload)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    """The listening socket, and which connections have a request in flight."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self._changed = threading.Condition()
        self._busy: dict[Any, bool] = {}
        self._stopping = False
        super().__init__(("127.0.0.1", 0), _Connection)

    def drain(self, deadline: float) -> None:
        """Close the idle connections and wait until the others have answered and closed too."""
        with self._changed:
            self._stopping = True
            for connection, busy in self._busy.items():
                if not busy:
                    with suppress(OSError):  # its client has gone
                        connection.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._busy, deadline)

    def mark(self, connection: Any, *, busy: bool) -> bool:
        """Note whether a connection has a request in flight; return whether it may have another."""
        with self._changed:
            self._busy[connection] = busy
            return not self._stopping

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection before its thread runs."""
        self.mark(request, busy=False)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection once it is closed."""
        super().shutdown_request(request)
        with self._changed:
            self._busy.pop(request, None)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Say nothing on the agent's terminal: a client that went away is its own business."""
        log.debug("an OTLP connection broke: %r", sys.exception())


class _Connection(BaseHTTPRequestHandler):
    """One connection: reads requests off it and writes answers to it."""

    protocol_version = "HTTP/1.1"
    server_version = "traceproof"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def parse_request(self) -> bool:
        """Note that a request has begun before its head is read."""
        self.server.mark(self.connection, busy=True)
        return super().parse_request()

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come: what is written is buffered."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def do_POST(self) -> None:
        """Answer one request, whatever its method."""
        self.connection.settimeout(_BODY_TIMEOUT)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = read_body(self.rfile, headers, self.server.receiver.limit)
        except BodyTooLargeError as error:
            self._refuse(refusal(413, str(error)))
        except ValueError as error:
            self._refuse(refusal(400, str(error)))
        else:
            request = Request(self.command, self.path, headers, body)
            self._send(self.server.receiver.take(request))
        self.connection.settimeout(None)
        if not self.server.mark(self.connection, busy=False):
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 (http.server looks for these)

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is the agent's."""

    def _refuse(self, answer: Answer) -> None:
        """Answer and close; read on a little, or the client would not see the answer."""
        self.close_connection = True
        self._send(answer)
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER)
        until = time.monotonic() + _LINGER
        with suppress(OSError):
            while time.monotonic() < until and self.connection.recv(1 << 16):
                pass

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
