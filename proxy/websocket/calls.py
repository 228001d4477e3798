"""One model call over a web socket: a message that asks, and the server's messages after it.

It is taken in like a call over HTTP, as an exchange of its own whose chunks are messages. Where the
request goes on from an earlier response, what was said before is put in front of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from traceproof.proxy.answers import AnyAnswer, header
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.dialects.openai_responses_socket import Asked, Event, ResponsesSocket
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.proxy.notes import ReadRequest
from traceproof.proxy.websocket.answer import Beside, MessageAnswer
from traceproof.proxy.websocket.inflate import LIMIT
from traceproof.proxy.websocket.messages import Message
from traceproof.recorder import secrets, semconv
from traceproof.recorder.agents.base import ModelCall
from traceproof.recorder.pieces import Content, SplitBody
from traceproof.recorder.span import Attributes, Link

WEBSOCKET = "websocket"
_OK = 200
_REFUSED = 400
_UNKNOWN_PAST = "it goes on from a response that is not known here: only what is new is shown"
_FACTS = (semconv.SERVER_ADDRESS, semconv.SERVER_PORT, semconv.URL_PATH, semconv.UPSTREAM)
"""What a call shares with the exchange that opened its socket."""


class SocketCall(Intake):
    """A call.

    Args:
        upgrade: the exchange that opened the socket.
        context: the session's.
        speaks: what is spoken over the socket.
        asked: what the message asks for.
        message: the message.
        opened_by: the id of the upgrade's span.
        limit: bytes of an answer that are kept where the socket is compressed: a few may then stand
            for millions.
    """

    def __init__(
        self,
        upgrade: Exchange,
        context: IntakeContext,
        speaks: ResponsesSocket,
        *,
        asked: Asked,
        message: Message,
        opened_by: str,
        limit: int = LIMIT,
    ) -> None:
        super().__init__(_exchange(upgrade, message), context)
        self._dialect = speaks.dialect
        self._speaks = speaks
        self._asked = asked
        self._opened_by = opened_by
        self._said: list[Content] = []
        self._messages: MessageAnswer | None = None
        self._begun = self._cut_short = False
        compressed = header(upgrade.response_headers, "sec-websocket-extensions")
        self._limit = self._room = limit if compressed else sys.maxsize
        self._too_long = ""
        self.private = False
        """Whether it began in a pause: nothing of it is kept."""

    @property
    def started(self) -> int:
        """When the message that asks began to arrive."""
        return self._exchange.started

    def begin(self) -> None:
        """Take the request, and open a span with a link to the upgrade's."""
        self._context.learn(secrets.from_headers(self._asked.headers.items()))
        super().begin()
        if self._call is not None:
            opened_by = Link(
                self._call.span.trace_id, self._opened_by, {semconv.LINK_TYPE: "sent_over"}
            )
            self._call.span.links.append(opened_by)

    def take(self, message: Message) -> bool:
        """Take a message of the server's; True when it is the last."""
        exchange = self._exchange
        exchange.response_started = exchange.response_started or message.time
        self._cut_short = not message.whole
        event = self._speaks.event(message.data) if message.whole else Event()
        self._keep(message, last=event.last)
        self._begun = self._begun or event.of_response
        if event.status and not self._begun:
            exchange.status = event.status
        if event.headers and not self.private:
            self._context.learn(secrets.from_headers(event.headers.items()))
        return event.last

    def _keep(self, message: Message, *, last: bool) -> None:
        """Keep a message of the answer, unless there are too many; the last one is kept always."""
        if self.private:
            return
        self._room -= len(message.data)
        if self._room >= 0 or last:
            self._exchange.response_chunks.append(Chunk(message.time, message.data))
        elif not self._too_long:
            self._too_long = f"its answer has over {self._limit} bytes: not all of it is kept"
            known = str(self._attributes.get(semconv.CALL_PROBLEM, ""))
            told = "; ".join(filter(None, (known, self._too_long)))
            self._attributes[semconv.CALL_PROBLEM] = told

    def stop(self, time: int, error: str = "") -> None:
        """Say when the call ended, and why, where that was not with its last message."""
        self._exchange.ended, self._exchange.error = time, error

    def end(self) -> None:
        """Close the span; a later request may go on from here."""
        super().end()
        answer = self._messages
        if answer is not None and answer.response_id and self._trusted:
            said = [Content(msgspec.json.encode(item)) for item in answer.output()]
            conversations = self._context.conversations
            conversations.add(answer.response_id, [*self._said, *said], self._asked.previous)

    # --- what differs from HTTP -------------------------------------------------------------------

    def _facts(self) -> Attributes:
        facts = super()._facts()
        told = {name: facts[name] for name in (*_FACTS, semconv.DIALECT) if name in facts}
        return {**told, semconv.TRANSPORT: WEBSOCKET}

    def _read(self, dialect: Dialect, body: SplitBody) -> ReadRequest:
        past = self._context.conversations.past(self._asked.previous)
        read = self._context.reader(dialect).read(body, past.contents)
        self._said = [element.content for element in body.elements(dialect.layout.messages)]
        if self._asked.previous and not past.whole:
            return read._replace(problem=read.problem or _UNKNOWN_PAST)
        return read

    def _headers(self, head: Mapping[str, object]) -> dict[str, str]:
        return {**super()._headers(head), **self._asked.headers}

    def _purpose(self, call: ModelCall) -> str:
        return self._asked.purpose or super()._purpose(call)

    def _new_answer(self, dialect: Dialect) -> AnyAnswer:  # noqa: ARG002  the socket's own
        context = self._context
        self._messages = MessageAnswer(
            self._exchange,
            self._speaks.assembler(),
            context.redactor,
            context.writer,
            cut_short=lambda: self._cut_short,
        )
        return self._messages

    def _response_head(self) -> Attributes:
        status = self._exchange.status
        return {semconv.HTTP_STATUS: status} if status >= _REFUSED else {}

    def _body(self) -> Attributes:
        if self._trusted:
            return super()._body()
        kept = Beside(self._context.redactor, self._context.writer)
        for chunk in self._exchange.response_chunks:
            kept.take(chunk)
        return {semconv.REF + semconv.RESPONSE_BODY: kept.finish()}


def _exchange(upgrade: Exchange, message: Message) -> Exchange:
    return replace(
        upgrade,
        started=message.started,
        request_chunks=[Chunk(message.time, message.data)],
        request_ended=message.time,
        request_taken=0,
        response_taken=0,
        status=_OK,
        response_headers=(),
        response_started=0,
        response_chunks=[],
        ended=0,
        error="",
    )
