from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from traceproof.proxy.testing import ScriptedModel

MESSAGES = "/v1/messages"


class Got(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def body_of(*messages: dict[str, Any], stream: bool = True, **more: Any) -> bytes:
    said = list(messages) or [{"role": "user", "content": "hi"}]
    return json.dumps({"model": "m-1", "messages": said, "stream": stream, **more}).encode()


@pytest.fixture
def body() -> Callable[..., bytes]:
    """Make a request's body, the same for both wire formats."""
    return body_of


@pytest.fixture
def post() -> Callable[..., Got]:
    """Send one request on a connection of its own and read the whole answer."""

    def post(
        model: ScriptedModel,
        data: bytes = body_of(),
        path: str = MESSAGES,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Got:
        port = model.port
        client = (
            http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        )
        try:
            client.request("POST", path, data, headers or {})
            response = client.getresponse()
            return Got(response.status, response.getheaders(), response.read())
        finally:
            client.close()

    return post


@pytest.fixture
def raw() -> Callable[[ScriptedModel, bytes], bytes]:
    """Send bytes and read all that comes until the server closes; RST raises."""

    def raw(model: ScriptedModel, sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", model.port), timeout=10) as client:
            client.sendall(sent)
            received = b""
            while data := client.recv(65536):
                received += data
            return received

    return raw


@pytest.fixture
def request_bytes() -> Callable[..., bytes]:
    """Make a request as bytes; `Connection: close`, so that the server ends it."""

    def request_bytes(
        data: bytes = body_of(), target: str = MESSAGES, *lines: str, close: bool = True
    ) -> bytes:
        head = [f"POST {target} HTTP/1.1", "Host: model", f"Content-Length: {len(data)}", *lines]
        head += ["Connection: close"] if close else []
        return "\r\n".join([*head, "", ""]).encode() + data

    return request_bytes
