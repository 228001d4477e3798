"""Blobs: content stored once, named by its SHA-256, and the references of spans to it.

A blob is a line of its own that always begins the same way, so that a reader can index a file
without parsing it. Blobs that list other blobs are `traceproof.recorder.manifests`' business, files
are the writer's and the reader's.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from traceproof.recorder import otlp
from traceproof.recorder.redaction import Mask, Masked

PREFIX = b'{"resourceSpans":[],"traceproofBlobs":[{"sha256":"'
"""How every blob line begins; 64 hex digits follow."""

FORMS = frozenset({"text", "json", "bytes", "list", "concat"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HASH = slice(len(PREFIX), len(PREFIX) + 64)
_decoder = msgspec.json.Decoder(otlp.TracesData)


class Ref(NamedTuple):
    """A reference from a span to content: how to read it, and the blob to begin with.

    `text` and `bytes` are the blob itself; `json` is the text that the blob encodes as a JSON
    string; `list` is the JSON array, as text, that a list manifest stands for; `concat` the bytes
    that a body manifest stands for.
    """

    form: str
    sha256: str

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read `form:sha256`.

        Raises:
            ValueError: it is not a reference.
        """
        form, _, sha256 = text.partition(":")
        if form not in FORMS or not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a reference to a blob: {text[:80]!r}")
        return cls(form, sha256)

    def __str__(self) -> str:
        return f"{self.form}:{self.sha256}"


def sha256(data: bytes) -> str:
    """Name bytes: their SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def encode_blob(name: str, blob: Masked) -> bytes:
    """Encode a blob as a line, without its line end.

    Bytes that are UTF-8 stand as text, unless escaping would make that longer than base64.
    """
    masks = b""
    if blob.masks:
        masks = b',"masks":' + msgspec.json.encode([mask.record() for mask in blob.masks])
    return PREFIX + name.encode() + b'",' + _encode_content(blob.data) + masks + b"}]}"


def _encode_content(data: bytes) -> bytes:
    try:
        text = msgspec.json.encode(data.decode())
    except UnicodeDecodeError:
        text = b""
    if text and len(text) <= len(data) * 4 // 3 + 64:
        return b'"utf8":' + text
    return b'"base64":"' + base64.b64encode(data) + b'"'


def name_at(plain: bytes, start: int) -> str:
    """Return the name of the blob on the line at `start`, without parsing the line."""
    return plain[start + _HASH.start : start + _HASH.stop].decode("ascii", "replace")


def decode_blob(line: bytes | memoryview, name: str) -> Masked:
    """Read the blob called `name` from its line, and verify its hash.

    Raises:
        ValueError: the line is broken, does not hold it, or holds other bytes under its name.
    """
    for record in _records(line):
        if record.sha256 == name:
            data = _decode_content(record)
            if sha256(data) != name:
                raise ValueError(f"blob {name[:12]} is not what its hash says")
            return Masked(data, [_mask(row) for row in record.masks])
    raise ValueError(f"blob {name[:12]} is not on its line")


def _records(line: bytes | memoryview) -> list[otlp.BlobRecord]:
    records = _decoder.decode(line).traceproof_blobs
    return [] if isinstance(records, msgspec.UnsetType) else records


def _decode_content(record: otlp.BlobRecord) -> bytes:
    if record.utf8 is not None:
        return record.utf8.encode()
    if record.base64 is None:
        raise ValueError(f"blob {record.sha256[:12]} has no content")
    return base64.b64decode(record.base64, validate=True)


def _mask(row: Sequence[object]) -> Mask:
    match row:
        case [int(offset), str(name)]:
            return Mask(offset, name)
        case [int(offset), str(name), str(encoding)]:
            return Mask(offset, name, encoding)
    raise ValueError("a mask is [offset, name] or [offset, name, encoding]")
