"""The upgrade of a connection to a web socket, the server's side; pure functions on headers."""

from __future__ import annotations

import base64
import binascii
import hashlib

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.http1 import Head

ACCEPTED = 101
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"
DEFLATE = "permessage-deflate"
NO_TAKEOVER = "_no_context_takeover"
KEY_BYTES = 16


def asks(head: Head) -> bool:
    """Tell whether a request asks for a web socket; other protocols to change to are ignored."""
    options = {option.strip().lower() for option in head.header("connection").split(",")}
    return "upgrade" in options and head.header("upgrade").lower() == "websocket"


def fault(head: Head) -> int:
    """Return the status that refuses a malformed upgrade, 0 where nothing is wrong with it."""
    if head.method != "GET" or head.version == "HTTP/1.0" or not _is_key(_key(head)):
        return 400
    return 0 if head.header("sec-websocket-version") == VERSION else 426


def accept(head: Head, *, deflate: bool) -> Answer:
    """Return the answer that changes protocols; `deflate` agrees to compression if offered."""
    digest = hashlib.sha1(_key(head).encode() + GUID, usedforsecurity=False).digest()
    headers = [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-accept", base64.b64encode(digest).decode()),
    ]
    parameters = agreed(head) if deflate else None
    if parameters is not None:
        headers.append(("sec-websocket-extensions", "; ".join([DEFLATE, *parameters])))
    return Answer(ACCEPTED, headers, [], "none")


def agreed(head: Head) -> list[str] | None:
    """Return the parameters of the first compression offered, None where none is.

    Windows keep their full size, which every client must take that says nothing, or offers more.
    """
    for offer in head.header("sec-websocket-extensions").split(","):
        name, *parameters = (word.strip() for word in offer.split(";"))
        if name.lower() == DEFLATE and not any(_narrows(word) for word in parameters):
            return [word for word in parameters if word.endswith(NO_TAKEOVER)]
    return None


def _narrows(parameter: str) -> bool:
    """Tell an offer that wants a window of ours smaller than usual."""
    name, _, value = parameter.partition("=")
    return name.strip() == "server_max_window_bits" and value.strip() != "15"


def _key(head: Head) -> str:
    return head.header("sec-websocket-key")


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except binascii.Error:
        return False
