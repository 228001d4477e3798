"""Bodies by length and in chunks, whole and broken."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.http_body import BodyTooLargeError, read_body

CHUNKED = {"transfer-encoding": "chunked"}


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=20), max_size=5), st.binary(max_size=5))
def test_any_chunking_gives_the_same_body_and_leaves_the_rest(
    parts: list[bytes], rest: bytes
) -> None:
    stream = BytesIO(chunked(parts) + rest)

    assert read_body(stream, CHUNKED, 1000) == b"".join(parts)
    assert stream.read() == rest


def test_by_length() -> None:
    stream = BytesIO(b"bodyrest")

    assert read_body(stream, {"content-length": "4"}, 4) == b"body"
    assert stream.read() == b"rest"


def test_without_length_there_is_no_body() -> None:
    assert read_body(BytesIO(b"rest"), {}, 4) == b""


def test_chunk_extensions_and_trailers_are_skipped() -> None:
    stream = BytesIO(b"4;a=b\r\nbody\r\n0\r\nDigest: x\r\n\r\nrest")

    assert read_body(stream, CHUNKED, 4) == b"body"
    assert stream.read() == b"rest"


@pytest.mark.parametrize(
    ("headers", "sent"),
    [({"content-length": "5"}, b"12345"), (CHUNKED, chunked([b"12", b"345"]))],
)
def test_more_than_the_limit_is_refused(headers: dict[str, str], sent: bytes) -> None:
    with pytest.raises(BodyTooLargeError):
        read_body(BytesIO(sent), headers, 4)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [({"content-length": "5"}, b"123"), (CHUNKED, b"5\r\n123"), (CHUNKED, b"5\r\n12345\r\n")],
)
def test_a_cut_is_a_connection_error(headers: dict[str, str], sent: bytes) -> None:
    with pytest.raises(ConnectionError):
        read_body(BytesIO(sent), headers, 100)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"content-length": "-1"}, b""),
        ({"content-length": "1, 1"}, b"1"),
        ({"transfer-encoding": "gzip"}, b""),
        (CHUNKED, b"zz\r\n"),
        (CHUNKED, b"1\r\n123\r\n"),
        (CHUNKED, b"1" * 5000),
        (CHUNKED, b"0\r\n" + b"a: b\r\n" * 200),
    ],
)
def test_malformed_is_a_value_error(headers: dict[str, str], sent: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_body(BytesIO(sent), headers, 100)
