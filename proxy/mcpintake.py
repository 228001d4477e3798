"""An exchange with an MCP server on its way into the trace: kept like any other, and understood."""

from __future__ import annotations

from traceproof.proxy import mcp, unread
from traceproof.proxy.answers import header
from traceproof.proxy.consents import Consents, always
from traceproof.proxy.exchange import Exchange, Headers
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.recorder import semconv
from traceproof.recorder.span import Link


def speaks(exchange: Exchange) -> bool:
    """Tell whether an exchange may be one with an MCP server; its request is whole."""
    return mcp.concerns(exchange, _request(exchange))


class McpIntake(Intake):
    """One exchange."""

    def __init__(
        self, exchange: Exchange, context: IntakeContext, consents: Consents = always
    ) -> None:
        super().__init__(exchange, context)
        self._mcp = context.mcp.open(exchange, consents)

    def begin(self) -> None:
        """Take the request."""
        super().begin()
        root = self._context.session.root
        link = Link(root.trace_id, self._span_id, {semconv.LINK_TYPE: "sent_over"})
        self._mcp.begin(_request(self._exchange), link)

    def look(self) -> None:
        """Put on record what is known by now."""
        super().look()
        self._mcp.look()

    def end(self) -> None:
        """Take the rest, and close the span."""
        super().end()
        if self._trusted:
            self._mcp.end(_decoded(self._exchange.response_headers, self._response()))

    def forget(self) -> None:
        """End without what came; of a stream of events, what came outside of the pause counts."""
        super().forget()
        self._mcp.look()
        self._mcp.forget()

    def distrust(self) -> None:
        """Go on without reading."""
        super().distrust()
        self._mcp.forget()

    def _response(self) -> bytes:
        return b"".join(chunk.data for chunk in self._exchange.response_chunks)


def _request(exchange: Exchange) -> bytes:
    raw = b"".join(chunk.data for chunk in exchange.request_chunks)
    return _decoded(exchange.request_headers, raw)


def _decoded(headers: Headers, raw: bytes) -> bytes:
    return unread.undone(header(headers, "content-encoding"), raw)[0]
