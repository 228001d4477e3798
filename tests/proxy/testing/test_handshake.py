from __future__ import annotations

import pytest

from traceproof.proxy.testing import handshake
from traceproof.proxy.testing.http1 import Head

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASKED = {
    "Host": "model",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def head(method: str = "GET", version: str = "HTTP/1.1", **more: str) -> Head:
    headers = {**ASKED, **{name.replace("_", "-"): value for name, value in more.items()}}
    return Head(method, "/v1/responses", version, list(headers.items()))


def test_an_upgrade_to_a_web_socket_is_one_by_two_headers() -> None:
    assert handshake.asks(head())
    assert handshake.asks(head(Upgrade="WebSocket"))
    assert not handshake.asks(head(Upgrade="h2c"))
    assert not handshake.asks(head(Connection="keep-alive"))


def test_it_is_accepted_with_the_answer_to_its_key() -> None:
    answer = handshake.accept(head(), deflate=True)

    # the example of RFC 6455, section 1.3
    assert ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") in answer.sent_headers
    assert answer.head.startswith(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n")
    assert b"content-length" not in answer.head
    assert b"extensions" not in answer.head


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (
            "x-other, permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate",
        ),
    ],
)
def test_compression_is_agreed_on_as_offered(offered: str, agreed: str) -> None:
    asked = head(Sec_WebSocket_Extensions=offered)

    told = dict(handshake.accept(asked, deflate=True).sent_headers)
    assert told["sec-websocket-extensions"] == agreed
    assert "sec-websocket-extensions" not in dict(
        handshake.accept(asked, deflate=False).sent_headers
    )


def test_a_window_smaller_than_ours_is_not_agreed_on() -> None:
    offer = "permessage-deflate; server_max_window_bits=9"
    assert handshake.agreed(head(Sec_WebSocket_Extensions=offer)) is None


def test_a_malformed_upgrade_is_refused_with_its_reason() -> None:
    assert handshake.fault(head()) == 0
    assert handshake.fault(head(Sec_WebSocket_Version="8")) == 426
    assert handshake.fault(head(Sec_WebSocket_Key="short")) == 400
    assert handshake.fault(head(Sec_WebSocket_Key="bm90IDE2IGJ5dGVz")) == 400
    assert handshake.fault(head("POST")) == 400
    assert handshake.fault(head(version="HTTP/1.0")) == 400
