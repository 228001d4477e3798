"""`traceproof raw`: the exact bytes of a request or a response."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from traceproof import render
from traceproof.commands.options import StoreOption, TraceArgument, locate, print_json
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask
from traceproof.recorder.span import Span


class Side(StrEnum):
    """Which half of an exchange."""

    request = "request"
    response = "response"


_ATTRIBUTES = {Side.request: semconv.REQUEST_BODY, Side.response: semconv.RESPONSE_BODY}

_NAMES = 10_000
"""Characters at most of the names of masks."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(raw)


def raw(
    trace: TraceArgument,
    span: Annotated[
        str, typer.Argument(metavar="SPAN", help="A span id or its beginning, from `show --full`.")
    ],
    side: Annotated[Side, typer.Argument(help="Which half of the exchange.")],
    *,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print what is known of the body (masks, encoding), not it."),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write the body of a request or response to stdout, byte for byte as it was sent.

    Where a secret stood, `<SECRET:NAME>` stands; the masks are listed with --json, else on stderr.
    """
    path = locate(store).find(trace)
    with TraceReader.open(path) as reader:
        found = _find(reader, span)
        reference = str(found.attributes.get(semconv.REF + _ATTRIBUTES[side], ""))
        if not reference:
            name = render.brief(f"{found.span_id} ({found.name})")
            raise ValueError(f"span {name} has no {side.value} body")
        masks = reader.masks(reference)
        if as_json:
            print_json(_describe(path, found, side, masks))
            return
        for part in reader.iter_body(reference):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    if masks:
        names = ", ".join(sorted({mask[1] for mask in masks}))
        print(f"traceproof: {len(masks)} masked: {render.brief(names, _NAMES)}", file=sys.stderr)


def _find(reader: TraceReader, beginning: str) -> Span:
    matches = [
        record.span
        for record in reader.records()
        if record.span.span_id.startswith(beginning.lower())
    ]
    if not matches:
        raise ValueError(f"no span of this trace begins with {beginning!r}: see `show --full`")
    if len(matches) > 1:
        raise ValueError(f"{len(matches)} spans begin with {beginning!r}: give more of the id")
    return matches[0]


def _describe(path: Path, span: Span, side: Side, masks: list[Mask]) -> object:
    encodings = {Side.request: semconv.REQUEST_ENCODING, Side.response: semconv.RESPONSE_ENCODING}
    return {
        "trace": str(path),
        "span": span.span_id,
        "name": span.name,
        "side": side.value,
        "content_encoding": span.attributes.get(encodings[side], ""),
        "kept_decoded": side.value in str(span.attributes.get(semconv.BODY_KEPT_DECODED, "")),
        "masks": [
            {"offset": offset, "name": name, "encoding": encoding}
            for offset, name, encoding in masks
        ],
    }
