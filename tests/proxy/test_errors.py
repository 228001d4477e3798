from __future__ import annotations

import json

import pytest

from traceproof.proxy.errors import error_bytes, explain, reason, response_bytes


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "Connection refused"),
        (
            "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), [Errno 111] x",
            "Connection refused",
        ),
        ("[Errno -2] Name or service not known", "Name or service not known"),
        ("two\nlines", "two lines"),
        ("[SSL] wrong", "[SSL] wrong"),
    ],
)
def test_a_reason_is_one_line(error: str, line: str) -> None:
    assert reason(error) == line


def test_an_error_names_its_server_where_there_is_one() -> None:
    assert explain("a.example", 443, "no") == "a.example:443: no"
    assert explain("", 0, "no") == "no"


def test_an_error_of_ours_reads_like_a_model_apis() -> None:
    head, _, body = error_bytes(407, "no", [("x-y", "z")]).partition(b"\r\n\r\n")

    assert json.loads(body) == {
        "type": "error",
        "error": {"type": "traceproof_upstream", "message": "traceproof: no"},
    }
    assert head.decode().split("\r\n") == [
        "HTTP/1.1 407 Proxy Authentication Required",
        "content-type: application/json",
        "connection: close",
        "x-y: z",
        f"content-length: {len(body)}",
    ]


def test_a_status_of_no_name_has_none() -> None:
    assert response_bytes(499, "text/plain", b"").startswith(b"HTTP/1.1 499 \r\n")
