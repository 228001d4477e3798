"""One exchange on its way into the trace: a chat span where a dialect reads it, else an HTTP span.

Used from the recorder's thread: `begin` when the request is whole, `look` now and then, `end` when
nothing more will come. Bodies are `answers.py`'s and `notes.py`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from traceproof.proxy import dialects, results, unread
from traceproof.proxy.answers import Answer, AnyAnswer, header
from traceproof.proxy.callids import CallIds
from traceproof.proxy.consents import Consents
from traceproof.proxy.conversations import Conversations
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.dialects.providers import provider
from traceproof.proxy.exchange import Chunk, Exchange, Headers
from traceproof.proxy.mcp import McpHttp
from traceproof.proxy.notes import ReadRequest, RequestReader
from traceproof.proxy.results import call_result, failure
from traceproof.recorder import secrets, semconv
from traceproof.recorder.agents.base import Agent, ModelCall
from traceproof.recorder.bodies import BodyStore
from traceproof.recorder.calls import CallRequest, CallResult
from traceproof.recorder.chunks import encode_chunks
from traceproof.recorder.cleaning import clean_headers, clean_path
from traceproof.recorder.pieces import SplitBody
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.session import OpenCall, Session
from traceproof.recorder.span import Attributes, Span, SpanKind, StatusCode, new_span_id
from traceproof.recorder.writer import TraceWriter

_SWITCHING_PROTOCOLS = 101
_UPGRADED = "an upgraded connection: its bytes, in which no secret could be masked, are not kept"

_INLINE = 512
"""Chunk times up to this many characters stand in the span, longer ones in a blob."""


@dataclass
class IntakeContext:
    """What the exchanges of one session share."""

    writer: TraceWriter
    session: Session
    redactor: Redactor
    agent: Agent
    stores: dict[str, BodyStore] = field(default_factory=dict)
    readers: dict[str, RequestReader] = field(default_factory=dict)
    conversations: Conversations = field(default_factory=Conversations)
    sockets: list[CatchesUp] = field(default_factory=list)
    """The web sockets that are open."""

    mcp: McpHttp = field(init=False)
    """What passes between the agent and MCP servers over HTTP."""

    def __post_init__(self) -> None:
        """Let the session ask for what has passed on web sockets."""
        self.session.catch_up = self.catch_up
        self.mcp = McpHttp(self.session.mcp)

    def store(self, dialect: Dialect | None) -> BodyStore:
        """Return the store for bodies of a dialect; it remembers elements it has met."""
        layout = dialect.layout if dialect else ()
        name = dialect.name if dialect else ""
        if name not in self.stores:
            self.stores[name] = BodyStore(self.writer, [key for key in layout if key])
        return self.stores[name]

    def reader(self, dialect: Dialect) -> RequestReader:
        """Return the reader for requests of a dialect; it remembers messages it has met."""
        if dialect.name not in self.readers:
            self.readers[dialect.name] = RequestReader(
                dialect, self.writer, self.agent.said_by_user
            )
        return self.readers[dialect.name]

    def learn(self, found: list[secrets.Secret]) -> None:
        """Mask these values from now on."""
        if found:
            self.redactor.add_all(found)

    def catch_up(self) -> None:
        """Take what has passed on web sockets: what begins now may go on from that."""
        for socket in list(self.sockets):
            socket.catch_up()


class CatchesUp(Protocol):
    """A web socket, whose messages are looked at now and then."""

    def catch_up(self) -> None:
        """Take what has come since the last look; never raises."""


class Intake:
    """One exchange."""

    failed = "the recorder failed on this call; its bytes are kept"

    def __init__(self, exchange: Exchange, context: IntakeContext) -> None:
        self._exchange = exchange
        self._context = context
        path = exchange.path.partition("?")[0]
        self._dialect = dialects.find(exchange.method, exchange.host, path)
        self._attributes: Attributes = {}
        self._call: OpenCall | None = None
        self._answer: AnyAnswer | None = None
        self._trusted = True
        self._span_id = new_span_id()
        self._ids: CallIds | None = None
        self._seen = (-1, -1)

    def agreed(self, consents: Consents, until: int) -> bool:
        """Tell whether the user agrees to keeping it, as far as it has come `until` then."""
        return consents(self._exchange.started, until)

    def begin(self) -> None:
        """Take the request: learn its secrets, store it, and open a span."""
        exchange = self._exchange
        self._context.catch_up()
        self._context.learn(secrets.from_headers(exchange.request_headers))
        self._context.learn(secrets.from_query(exchange.path))
        self._attributes = self._facts()
        raw = b"".join(chunk.data for chunk in exchange.request_chunks)
        encoding = header(exchange.request_headers, "content-encoding")
        data, problem = unread.undone(encoding, raw)
        if self._dialect is None:
            self._context.learn(secrets.from_json_fields(data))
        split = self._store_request(raw, data, encoding, problem)
        self._attributes |= self._times(semconv.REQUEST_CHUNKS, exchange.request_chunks)
        if self._dialect is not None:
            self._open(self._dialect, split)

    def look(self) -> None:
        """Put on record what is known by now: the span as pending, the answer as far as it came."""
        seen = self._exchange.response_started, len(self._exchange.response_chunks)
        if seen == self._seen:
            return
        self._seen = seen
        attributes = self._response_so_far()
        if self._call is not None:
            self._context.session.pending_call(self._call, attributes)
        else:
            self._context.writer.pending(self._http_span(attributes | _state("pending")))

    def end(self) -> None:
        """Take the rest, and close the span."""
        exchange = self._exchange
        self._context.learn(secrets.from_headers(exchange.response_headers))
        attributes = self._response_attributes()
        if self._call is None:
            self._context.session.http(self._finished_http_span(attributes))
            return
        response = self._answer.response() if self._answer and self._trusted else None
        if response is not None and self._ids is not None:
            self._ids.answer(response.messages)
        result = call_result(exchange, response, self._context.writer)
        result.attributes = attributes | result.attributes
        in_text = self._context.agent.in_text
        if in_text and response and result.state == "complete":
            result.tools += results.in_text(in_text, response, self._call.request)
        self._add_problem(result.attributes)
        self._context.session.close_call(self._call, result)

    def forget(self) -> None:
        """End without what came: the user paused recording while this exchange was under way."""
        told: Attributes = {semconv.CALL_PROBLEM: "recording was paused during this call"}
        if self._call is None:
            span = self._http_span(told | _state("unrecorded"))
            span.end = max(self._exchange.ended, span.start)
            self._context.session.http(span)
        else:
            result = CallResult(self._exchange.ended, "unrecorded", told)
            self._context.session.close_call(self._call, result)

    def distrust(self) -> None:
        """Go on without reading: something in this exchange broke the recorder."""
        self._trusted = False
        self._answer = None
        if semconv.REF + semconv.REQUEST_BODY not in self._attributes:
            exchange = self._exchange
            raw = b"".join(chunk.data for chunk in exchange.request_chunks)
            self._attributes = self._facts()
            self._attributes |= self._unread("request", exchange.request_headers, raw)

    # --- the request ------------------------------------------------------------------------------

    def _store_request(self, raw: bytes, data: bytes, encoding: str, problem: str) -> SplitBody:
        """Store the body and return it in pieces; an encoded one is kept as sent if it may be."""
        writer, store = self._context.writer, self._context.store(self._dialect)
        if problem:
            self._attributes[semconv.CALL_PROBLEM] = problem
        if encoding:
            self._attributes[semconv.REQUEST_ENCODING] = encoding
            if not writer.masked(data).masks:
                self._attributes[semconv.REF + semconv.REQUEST_BODY] = writer.blob(raw)
                return store.split(data)
            self._attributes[semconv.BODY_KEPT_DECODED] = "request"
        stored = store.store(data)
        self._attributes[semconv.REF + semconv.REQUEST_BODY] = stored.ref
        return stored.split

    def _open(self, dialect: Dialect, body: SplitBody) -> None:
        read = self._read(dialect, body)
        self._ids = read.ids
        if read.problem:
            whole = self._exchange.request_ended
            problem = read.problem if whole else "the call ended before its request was whole"
            self._attributes.setdefault(semconv.CALL_PROBLEM, problem)
        self._call = self._context.session.open_call(self._call_request(dialect, read))

    def _read(self, dialect: Dialect, body: SplitBody) -> ReadRequest:
        return self._context.reader(dialect).read(body)

    def _headers(self, _head: Mapping[str, object]) -> dict[str, str]:
        return {name.lower(): value for name, value in self._exchange.request_headers}

    def _purpose(self, call: ModelCall) -> str:
        return self._context.agent.purpose(call)

    def _call_request(self, dialect: Dialect, read: ReadRequest) -> CallRequest:
        exchange, agent = self._exchange, self._context.agent
        headers = self._headers(read.head)
        whose = agent.identify(headers, read.head)
        path = exchange.path.partition("?")[0]
        attributes: Attributes = {
            semconv.PROVIDER_NAME: provider(dialect, exchange.host),
            **self._attributes,
            **dialect.path_attributes(path),
            **read.attributes,
        }
        version = agent.version_from(headers)
        if version:
            self._context.session.root.attributes[semconv.AGENT_VERSION] = version
        return CallRequest(
            started=exchange.started,
            model=str(attributes.get(semconv.REQUEST_MODEL, "")),
            attributes=attributes,
            messages=read.notes,
            purpose=self._purpose(ModelCall(path, headers, read.head, read.system, read.prompt)),
            conversation_id=whose.session_id,
            agent_id=whose.agent_id,
            parent_agent_id=whose.parent_agent_id,
            trace_parent=headers.get("traceparent", ""),
            thread_id=whose.thread_id,
        )

    # --- the response -----------------------------------------------------------------------------

    def _response_so_far(self) -> Attributes:
        if self._dialect is None or not self._exchange.response_started or not self._trusted:
            return {}
        if self._answer is None:
            self._context.learn(secrets.from_headers(self._exchange.response_headers))
            self._answer = self._new_answer(self._dialect)
        return self._answer.look() if self._exchange.response_chunks else {}

    def _new_answer(self, dialect: Dialect) -> AnyAnswer:
        return Answer(self._exchange, dialect, self._context.redactor, self._context.writer)

    def _response_attributes(self) -> Attributes:
        exchange = self._exchange
        if not exchange.response_started:
            return {}
        attributes = {
            **self._response_head(),
            **self._times(semconv.RESPONSE_CHUNKS, exchange.response_chunks),
        }
        if exchange.response_chunks:
            attributes |= self._body()
            first = exchange.response_chunks[0].time - exchange.started
            attributes[semconv.TIME_TO_FIRST_CHUNK] = first / 1e9
        return self._merged(attributes)

    def _response_head(self) -> Attributes:
        exchange = self._exchange
        kept, dropped = clean_headers(exchange.response_headers)
        return {
            semconv.HTTP_STATUS: exchange.status,
            semconv.RESPONSE_HEADERS: _json(kept),
            **({semconv.RESPONSE_HEADERS + ".dropped": dropped} if dropped else {}),
        }

    def _body(self) -> Attributes:
        exchange = self._exchange
        if exchange.status == _SWITCHING_PROTOCOLS:
            return {semconv.CALL_PROBLEM: _UPGRADED}
        if self._dialect is not None and self._trusted:
            self._answer = self._answer or self._new_answer(self._dialect)
            return self._answer.finish()
        raw = b"".join(chunk.data for chunk in exchange.response_chunks)
        encoding = header(exchange.response_headers, "content-encoding")
        if self._dialect is None:
            self._context.learn(secrets.from_json_fields(unread.undone(encoding, raw)[0]))
        return self._unread("response", exchange.response_headers, raw)

    def _unread(self, side: str, headers: Headers, raw: bytes) -> Attributes:
        return unread.store(side, headers, raw, self._context.writer, self._context.redactor)

    def _merged(self, attributes: Attributes) -> Attributes:
        """Let both bodies of an exchange say that they were kept decoded."""
        both = [
            str(found[semconv.BODY_KEPT_DECODED])
            for found in (self._attributes, attributes)
            if semconv.BODY_KEPT_DECODED in found
        ]
        return {**attributes, semconv.BODY_KEPT_DECODED: ",".join(both)} if both else attributes

    def _times(self, name: str, chunks: Sequence[Chunk]) -> Attributes:
        if len(chunks) <= 1 and name == semconv.REQUEST_CHUNKS:
            return {}
        return self._arrivals(name, [(at, len(data)) for at, data in chunks])

    def _arrivals(self, name: str, arrivals: Sequence[tuple[int, int]]) -> Attributes:
        value = encode_chunks(self._exchange.started, arrivals)
        if len(value) <= _INLINE:
            return {name: value} if arrivals else {}
        return {semconv.REF + name: self._context.writer.text(value)}

    # --- spans ------------------------------------------------------------------------------------

    def _facts(self) -> Attributes:
        exchange = self._exchange
        path, _, query = clean_path(exchange.path).partition("?")
        kept, dropped = clean_headers(exchange.request_headers)
        more = {
            semconv.URL_QUERY: query,
            semconv.DIALECT: self._dialect.name if self._dialect else "",
            semconv.CALL_PURPOSE: dialects.purpose(exchange.method, exchange.path),
            semconv.UPSTREAM: exchange.upstream,
        }
        return {
            semconv.SERVER_ADDRESS: exchange.host,
            semconv.SERVER_PORT: exchange.port,
            semconv.HTTP_METHOD: exchange.method,
            semconv.URL_PATH: path,
            semconv.REQUEST_HEADERS: _json(kept),
            **{name: value for name, value in more.items() if value},
            **({semconv.REQUEST_HEADERS + ".dropped": dropped} if dropped else {}),
        }

    def _add_problem(self, attributes: Attributes) -> None:
        problems = [
            "" if self._trusted else self.failed,
            self._answer.problem if self._answer else "",
            str(self._attributes.get(semconv.CALL_PROBLEM, "")),
            str(attributes.get(semconv.CALL_PROBLEM, "")),
        ]
        told = "; ".join(dict.fromkeys(filter(None, problems)))
        if told:
            attributes[semconv.CALL_PROBLEM] = told

    def _finished_http_span(self, attributes: Attributes) -> Span:
        exchange = self._exchange
        state, error_type, message = failure(exchange, complete=not exchange.error)
        attributes |= _state(state)
        self._add_problem(attributes)
        span = self._http_span(attributes)
        span.end = max(exchange.ended, span.start)
        if error_type:
            span.attributes[semconv.ERROR_TYPE] = error_type
            span.status, span.status_message = StatusCode.ERROR, message
        return span

    def _http_span(self, attributes: Attributes) -> Span:
        root = self._context.session.root
        path = clean_path(self._exchange.path).partition("?")[0]
        return Span(
            trace_id=root.trace_id,
            span_id=self._span_id,
            name=f"{self._exchange.method} {path}",
            kind=SpanKind.CLIENT,
            parent_id=root.span_id,
            start=self._exchange.started,
            attributes=self._attributes | attributes,
        )


def _state(state: str) -> Attributes:
    return {semconv.CALL_STATE: state}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
