"""A web socket on its way into the trace: the exchange that opens it, and the calls over it.

The upgrade is an HTTP span, which also keeps the messages that are of no call. Each call is a span
of its own, written as soon as it is complete. Frames are taken apart and not kept: a mask or a
compression hides from the redactor what they say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from traceproof.proxy import dialects
from traceproof.proxy.answers import header
from traceproof.proxy.consents import GOING_ON, Consents
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.proxy.websocket.answer import Beside
from traceproof.proxy.websocket.calls import WEBSOCKET, SocketCall
from traceproof.proxy.websocket.messages import Message
from traceproof.proxy.websocket.socket import Passed, Socket
from traceproof.recorder import secrets, semconv
from traceproof.recorder.span import Attributes

_SWITCHING_PROTOCOLS = 101
_ENDED_FIRST = "the web socket ended before the answer was whole"


def opens(exchange: Exchange) -> bool:
    """Tell whether a request asks for a web socket, and has no body that it might be mixed with."""
    headers = exchange.request_headers
    return (
        exchange.method == "GET"
        and "websocket" in header(headers, "upgrade").lower()
        and header(headers, "content-length") in {"", "0"}
        and not header(headers, "transfer-encoding")
    )


class WebSocketIntake(Intake):
    """One web socket, from the request that opens it.

    Args:
        exchange: the request and all that passes after it.
        context: the session's.
        consents: whether a message may be kept.
        faulted: told what went wrong with a message or a call.
    """

    failed = "the recorder failed on this web socket: what passed on it after that is not kept"

    def __init__(
        self,
        exchange: Exchange,
        context: IntakeContext,
        consents: Consents,
        faulted: Callable[[Exception], None],
    ) -> None:
        super().__init__(exchange, context)
        self._dialect = None
        self._speaks = dialects.find_socket(exchange.path)
        self._socket: Socket | None = None
        self._calls: deque[SocketCall] = deque()
        self._client = Beside(context.redactor, context.writer)
        self._server = Beside(context.redactor, context.writer)
        self._reading = False
        self._consents, self._faulted = consents, faulted

    def agreed(self, consents: Consents, until: int) -> bool:  # noqa: ARG002
        """Return True: a socket outlasts pauses, so its messages are asked for one by one."""
        return True

    def begin(self) -> None:
        """Take the request, which has no body."""
        exchange = self._exchange
        self._context.catch_up()
        self._context.learn(secrets.from_headers(exchange.request_headers))
        self._context.learn(secrets.from_query(exchange.path))
        self._attributes = self._facts()
        self._store_request(b"", b"", "", "")
        self._context.sockets.append(self)

    def look(self) -> None:
        """Take what has passed: end the calls that are complete, put the others on record."""
        self._read_on()
        self._put_on_record()
        for call in list(self._calls):
            if self._consents(call.started, GOING_ON):
                self._guard(call, call.look)

    def catch_up(self) -> None:
        """Take what has passed; never raises."""
        try:
            self._read_on()
        except Exception as error:  # noqa: BLE001 - it costs this socket, not the exchange that asks
            self._faulted(error)
            self.distrust()

    def end(self) -> None:
        """Take the rest, end the calls that are still open as they are, and close the span."""
        exchange = self._exchange
        self._leave()
        if self._opened() is not None:
            self._read_on(final=True)
        elif exchange.status != _SWITCHING_PROTOCOLS and exchange.request_chunks:
            raw = b"".join(chunk.data for chunk in exchange.request_chunks)
            self._attributes |= self._unread("request", exchange.request_headers, raw)
        closed = self._socket.closed if self._socket else ""
        while self._calls:
            call = self._calls.popleft()
            self._finish(call, exchange.ended, exchange.error or closed or _ENDED_FIRST)
        if self._consents(exchange.started, exchange.response_started or exchange.ended):
            super().end()
        else:
            self._attributes = {}
            self.forget()

    def distrust(self) -> None:
        """Read nothing more: something on this socket broke the recorder."""
        self._trusted = False
        if not self._attributes:
            self._attributes = self._facts()

    # --- reading ----------------------------------------------------------------------------------

    def _opened(self) -> Socket | None:
        """Return the socket once the server has agreed to it."""
        exchange = self._exchange
        if exchange.status == _SWITCHING_PROTOCOLS and self._socket is None:
            self._context.learn(secrets.from_headers(exchange.response_headers))
            self._attributes[semconv.TRANSPORT] = WEBSOCKET
            self._socket = Socket(exchange)
        return self._socket

    def _read_on(self, *, final: bool = False) -> None:
        socket = self._opened()
        if socket is None or self._reading:
            return
        if not self._trusted:
            socket.skip()
            return
        self._reading = True
        try:
            ended = [self._take(passed) for passed in (socket.finish() if final else socket.read())]
        finally:
            self._reading = False
        if any(ended):
            self._context.writer.flush()  # it may have ended half a second ago

    def _take(self, passed: Passed) -> bool:
        """Take a message; True when it ends a call."""
        from_client, message = passed
        if from_client:
            self._ask(message)
        elif not self._calls:
            self._keep(message, self._server)
        elif self._calls[0].take(message):
            self._finish(self._calls.popleft(), message.time)
            return True
        return False

    def _keep(self, message: Message, beside: Beside) -> None:
        if self._consents(message.started, message.time):
            self._context.learn(secrets.from_json_fields(message.data))
            beside.take(Chunk(message.time, message.data))

    def _ask(self, message: Message) -> None:
        asked = self._speaks.asked(message.data) if self._speaks and message.whole else None
        if self._speaks is None or asked is None:
            self._keep(message, self._client)
            return
        call = SocketCall(
            self._exchange,
            self._context,
            self._speaks,
            asked=asked,
            message=message,
            opened_by=self._span_id,
        )
        self._calls.append(call)
        call.private = not self._consents(call.started, call.started)
        if not call.private:
            self._guard(call, call.begin)

    def _finish(self, call: SocketCall, time: int, error: str = "") -> None:
        call.stop(time, error)
        if call.private:
            return
        if not self._consents(call.started, time):
            call.forget()
        elif not self._guard(call, call.end):
            call.end()

    def _guard(self, call: SocketCall, action: Callable[[], None]) -> bool:
        """Let what goes wrong with one call cost that call its meaning, and no other."""
        try:
            action()
        except Exception as error:  # noqa: BLE001
            self._faulted(error)
            call.distrust()
            return False
        return True

    def _leave(self) -> None:
        if self in self._context.sockets:
            self._context.sockets.remove(self)

    # --- the upgrade's span -----------------------------------------------------------------------

    def _put_on_record(self) -> None:
        count = len(self._client.arrivals) + len(self._server.arrivals)
        opened = self._exchange.response_started
        seen = opened, count
        if seen != self._seen and self._consents(self._exchange.started, opened or GOING_ON):
            self._seen = seen
            attributes = {**self._bodies(), semconv.CALL_STATE: "pending"}
            self._context.writer.pending(self._http_span(attributes))

    def _bodies(self) -> Attributes:
        """Return where the messages are that are of no call."""
        bodies = {
            semconv.REF + semconv.REQUEST_BODY: self._client.ref(),
            semconv.REF + semconv.RESPONSE_BODY: self._server.ref(),
        }
        return {name: ref for name, ref in bodies.items() if ref}

    def _response_attributes(self) -> Attributes:
        socket = self._socket
        if socket is None:
            return super()._response_attributes()
        self._client.finish()
        self._server.finish()
        ended = self._exchange.ended
        closed = socket.closed if self._consents(ended, ended) else ""
        told = {semconv.WEBSOCKET_CLOSED: closed, semconv.CALL_PROBLEM: socket.problem}
        return {
            **self._response_head(),
            **self._bodies(),
            **self._arrivals(semconv.REQUEST_CHUNKS, self._client.arrivals),
            **self._arrivals(semconv.RESPONSE_CHUNKS, self._server.arrivals),
            **{name: text for name, text in told.items() if text},
        }
