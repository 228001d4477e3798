"""Chooses how an exchange is taken in: as HTTP, or as a web socket that it opens."""

from __future__ import annotations

from collections.abc import Callable

from traceproof.proxy import dialects
from traceproof.proxy.consents import Consents, always
from traceproof.proxy.exchange import Exchange
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.proxy.mcpintake import McpIntake, speaks
from traceproof.proxy.websocket.intake import WebSocketIntake, opens


def new_intake(
    exchange: Exchange,
    context: IntakeContext,
    consents: Consents = always,
    faulted: Callable[[Exception], None] = lambda _: None,
) -> Intake:
    """Return what takes an exchange in, its request being whole.

    A web socket asks whether it `consents` for each message, and says itself what it has `faulted`
    on: the next message may be recorded all the same.
    """
    if opens(exchange):
        return WebSocketIntake(exchange, context, consents, faulted)
    path = exchange.path.partition("?")[0]
    if dialects.find(exchange.method, exchange.host, path) is None and speaks(exchange):
        return McpIntake(exchange, context, consents)
    return Intake(exchange, context)
