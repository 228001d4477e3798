"""Keeps a body of which nothing is known but its bytes: there is no dialect for it, or one failed.

It is kept as sent, unless that would keep a secret: then decoded, and masked. Nobody knows which
texts of an event stream belong together, so those are watched that stand at the same place of
successive events: a model's answer is spelt out that way in every format there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceproof.proxy.answers import header, joined
from traceproof.proxy.dialects import jsontext
from traceproof.proxy.dialects.sse import SseParser
from traceproof.proxy.encodings import decode
from traceproof.proxy.exchange import Headers
from traceproof.recorder import semconv
from traceproof.recorder.fragments import FragmentMasker
from traceproof.recorder.redaction import Masked, Redactor
from traceproof.recorder.span import Attributes
from traceproof.recorder.writer import TraceWriter

_NAMES = {
    "request": (semconv.REQUEST_BODY, semconv.REQUEST_ENCODING),
    "response": (semconv.RESPONSE_BODY, semconv.RESPONSE_ENCODING),
}


def store(
    side: str, headers: Headers, raw: bytes, writer: TraceWriter, redactor: Redactor
) -> Attributes:
    """Store a body, and return the attributes that say where; `side` is request or response."""
    encoding = header(headers, "content-encoding")
    data, problem = undone(encoding, raw)
    masked = _masked(data, headers, redactor)
    body, encoding_name = _NAMES[side]
    kept = masked if masked.masks else Masked(raw, [])
    attributes: Attributes = {semconv.REF + body: writer.blob(kept.data, kept.masks)}
    if encoding:
        attributes[encoding_name] = encoding
    if encoding and masked.masks:
        attributes[semconv.BODY_KEPT_DECODED] = side
    if problem:
        attributes[semconv.CALL_PROBLEM] = problem
    return attributes


def undone(encoding: str, raw: bytes) -> tuple[bytes, str]:
    """Undo an encoding as far as possible, and say in one line what was wrong with it."""
    if not encoding:
        return raw, ""
    try:
        return decode(encoding, raw)
    except (LookupError, ValueError) as error:
        return raw, str(error)


def _masked(data: bytes, headers: Headers, redactor: Redactor) -> Masked:
    if "event-stream" not in header(headers, "content-type").lower():
        return redactor.mask(data)
    masker, parser = FragmentMasker(redactor), SseParser()
    pieces: list[Masked] = []
    position = 0
    for event in (*parser.feed(data), *parser.close()):
        pieces.append(masker.feed(data[position : event.start]))
        pieces.append(masker.feed(data[event.start : event.end], texts(event.data)))
        position = event.end
    pieces += [masker.feed(data[position:]), masker.finish()]
    return joined(pieces)


def texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each string in an event's JSON; without it, all its text."""
    try:
        return _leaves(jsontext.decode(data), "")
    except ValueError:
        return iter([("", data.decode("utf-8", "replace"))])


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Walk JSON that is not deep, as `jsontext` sees to."""
    match value:
        case str():
            yield place, value
        case list():
            for number, item in enumerate(value):
                yield from _leaves(item, f"{place}[{number}]")
        case dict():
            among = f"{place}#{value.get('index', '')}"
            for key, item in value.items():
                yield from _leaves(item, f"{among}.{key}")
