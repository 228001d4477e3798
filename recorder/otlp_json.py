"""OTLP's JSON encoding as other programs write it, read into `traceproof.recorder.otlp`.

A trace file is stricter: here 64-bit integers may be numbers, fields may be null, doubles may be
the texts NaN and Infinity, as protobuf's JSON mapping allows.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from traceproof.recorder import otlp

_NOT_NUMBERS = ("NaN", "Infinity", "-Infinity")


def decode_traces(body: bytes) -> otlp.TracesData:
    """Read an `ExportTraceServiceRequest` in JSON.

    Raises:
        ValueError: it is not JSON, or not of that shape.
    """
    try:
        return msgspec.convert(_object(msgspec.json.decode(body)), otlp.TracesData)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


def _object(value: Any) -> Any:
    """Bring one JSON value, and all within it, into the strict form."""
    if isinstance(value, list):
        return [_object(item) for item in value]
    if not isinstance(value, dict):
        return value
    return dict(_field(key, item) for key, item in value.items() if item is not None)


def _field(key: str, value: Any) -> tuple[str, Any]:
    if key == "intValue" and isinstance(value, (int, str)):
        return key, str(int(value))
    if key.endswith("UnixNano") and isinstance(value, int):
        return key, str(value)
    if key == "doubleValue" and isinstance(value, str):
        return ("stringValue", value) if value in _NOT_NUMBERS else (key, float(value))
    if key == "bytesValue" and isinstance(value, str):
        return key, _standard_base64(value)
    return key, _object(value)


def _standard_base64(text: str) -> str:
    """Write base64 the usual way: its URL-safe form, and none of its padding, are allowed too."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    data = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    return base64.b64encode(data).decode()
