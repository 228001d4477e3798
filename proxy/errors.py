"""What a client is told when its call could not be passed on: one clear line, as JSON.

In the shape that model APIs' clients read. Nothing here sends it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from http import HTTPStatus

REALM = 'Basic realm="traceproof"'


def explain(host: str, port: int, error: str) -> str:
    """Return one clear line on a request that could not be relayed."""
    why = reason(error)
    return f"{host}:{port}: {why}" if host else why


def reason(error: str) -> str:
    """Return an error's text as one line, an OSError's number in words.

    >>> reason("[Errno -2] Name or service not known")
    'Name or service not known'
    >>> reason("[Errno 111] Connect call failed ('127.0.0.1', 9)")
    'Connection refused'
    """
    line = " ".join(error.split()).removeprefix("Multiple exceptions: ")
    numbered = re.match(r"\[Errno (-?\d+)\] ", line)
    if numbered is None:
        return line
    number = int(numbered[1])
    return os.strerror(number) if number > 0 else line[numbered.end() :]


def error_body(message: str) -> bytes:
    """Return an error of ours as JSON."""
    error = {"type": "traceproof_upstream", "message": f"traceproof: {message}"}
    return json.dumps({"type": "error", "error": error}).encode()


def error_bytes(status: int, message: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a whole response with such an error; the connection is to be closed after it."""
    return response_bytes(
        status, "application/json", error_body(message), [("connection", "close"), *fields]
    )


def response_bytes(
    status: int, content_type: str, body: bytes, fields: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return a whole response of our own."""
    head = [("content-type", content_type), *fields, ("content-length", str(len(body)))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return f"HTTP/1.1 {status} {_phrase(status)}\r\n{lines}\r\n".encode() + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
