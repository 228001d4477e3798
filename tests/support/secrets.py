"""A search for secrets in all that is kept of a session.

It is independent of the recorder: its own zstd, JSON and SSE reading, its own forms.
"""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import zstandard

from support.stage import Stage
from support.trace import Recorded, spoken


def forms(value: str) -> Iterator[bytes]:
    """Yield what a value looks like where bytes of it could be kept."""
    plain = value.encode()
    yield from (plain, plain.hex().encode())
    level = [value]
    for _ in range(3):
        level = [
            json.dumps(text, ensure_ascii=pure)[1:-1] for text in level for pure in (False, True)
        ]
        yield from (text.encode() for text in level)
    yield from (form.encode() for form in (quote(value), quote(value, safe=""), quote_plus(value)))
    for before in range(3):
        start, end = -(-8 * before // 6), 8 * (before + len(plain)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + plain)[start:end]


def found(data: bytes, secrets: Mapping[str, str]) -> set[str]:
    """Name the secrets in some bytes."""
    return {name for name, value in secrets.items() if any(f in data for f in forms(value))}


def hidden(data: bytes, secrets: Mapping[str, str]) -> bytes:
    """Put masks where secrets are."""
    all_forms = {form: name for name, value in secrets.items() for form in forms(value)}
    for form in sorted(all_forms, key=len, reverse=True):
        data = data.replace(form, f"<SECRET:{all_forms[form]}>".encode())
    return data


def joined(texts: Mapping[str, str]) -> bytes:
    return "\n".join(texts.values()).encode()


def plain_of(data: bytes) -> Iterator[bytes]:
    """Yield bytes, and what they are once decompressed."""
    yield data
    if data[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    elif data[:2] == b"\x1f\x8b":
        yield zlib.decompressobj(31).decompress(data)


def strings(value: Any) -> Iterator[str]:
    """Yield every text in JSON, and the texts of JSON in it."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                yield from strings(json.loads(value))


def everything_in(file: Path) -> Iterator[bytes]:
    """Yield a file's bytes; of a trace, its lines, their texts, and its blobs decoded."""
    for data in plain_of(file.read_bytes()):
        yield data
    if file.suffix != ".zst":
        return
    for line in data.splitlines():
        document = json.loads(line)
        yield "\n".join(strings(document)).encode(errors="surrogatepass")
        for blob in document.get("traceproofBlobs", ()):
            if "base64" in blob:
                yield from plain_of(base64.b64decode(blob["base64"]))


def kept(done: Recorded) -> Iterator[tuple[str, bytes]]:
    """Yield all that a reader of the trace can get of the calls' bodies, streams joined."""
    for span in done.exchanges:
        for side in ("request", "response"):
            body, _ = done.body(span, side)
            for data in plain_of(body):
                yield f"{side} of {span.name}", data
                yield f"text of {span.name}", joined(spoken(data))


def printed(stage: Stage, done: Recorded) -> Iterator[tuple[str, bytes]]:
    """Yield what the commands say of the trace."""
    ours = [line for line in done.ended.stderr.splitlines() if line.startswith(b"traceproof:")]
    yield "record", b"\n".join(ours)
    commands: list[tuple[str, ...]] = [("show", "--full"), ("show", "--json"), ("ls", "--json")]
    commands += [("raw", "last", chat.span_id, "response") for chat in done.chats()]
    commands += [("raw", "last", done.chats()[1].span_id, "request")]
    for command in commands:
        ended = stage.traceproof(*command)
        assert ended.returncode == 0
        yield " ".join(command), ended.stdout + ended.stderr
        if "raw" in command:
            yield " ".join(command), joined(spoken(ended.stdout))


def leaks(
    stage: Stage, done: Recorded, secrets: Mapping[str, str], *, commands: bool = True
) -> set[tuple[str, str]]:
    """Return where secrets are: the place, and the secret's name.

    Without `commands`, what is kept is searched, not what the commands print of it.
    """
    places = [
        (str(file.relative_to(stage.store)), data)
        for file in stage.store.rglob("*")
        if file.is_file()
        for data in everything_in(file)
    ]
    places += [*kept(done), *(printed(stage, done) if commands else ())]
    places.append(("summary", (stage.workdir / "summary.json").read_bytes()))
    return {(place, name) for place, data in places for name in found(data, secrets)}
