from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.relay.head import HEAD_LIMIT
from traceproof.proxy.relay.reader import RequestReader, ResponseReader

HEAD = b"POST /v1 HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def whole(reader: RequestReader | ResponseReader, pieces: list[bytes]) -> tuple[bytes, bytes, str]:
    """Return what is forwarded, what is kept, and what was wrong."""
    wire = body = b""
    for piece in pieces:
        read = reader.feed(piece)
        wire += b"".join(head.raw for head in read.heads) + read.wire
        body += read.body
        if read.problem:
            return wire, body, str(read.problem)
    return wire, body, ""


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(at % (len(data) + 1) for at in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw a framed body with its header, and the body in it."""
    pieces = draw(chunks)
    body = b"".join(pieces)
    if draw(st.booleans()):
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body), body
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    trailers = draw(st.sampled_from([b"", b"X-Sum: 1\r\n"]))
    return CHUNKED + framed + b"0\r\n" + trailers + b"\r\n", body


@given(bodies(), st.lists(st.integers(0, 500)), st.sampled_from([b"", b"GET / HTTP/1.1\r\n"]))
def test_a_request_passes_verbatim_in_any_pieces(
    drawn: tuple[bytes, bytes], cuts: list[int], after: bytes
) -> None:
    framed, body = drawn
    reader = RequestReader()

    assert whole(reader, cut(HEAD + framed + after, cuts)) == (HEAD + framed, body, "")
    assert reader.rest == after


@given(bodies(), st.lists(st.integers(0, 500)), st.sampled_from([b"", b"surplus"]))
def test_a_response_passes_verbatim_in_any_pieces(
    drawn: tuple[bytes, bytes], cuts: list[int], after: bytes
) -> None:
    framed, body = drawn
    head = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n"
    reader = ResponseReader("GET")

    assert whole(reader, cut(head + framed + after, cuts)) == (head + framed, body, "")
    assert reader.rest == after


@given(st.binary(), st.lists(st.integers(0, 200)))
def test_whatever_comes_is_read_or_refused(data: bytes, cuts: list[int]) -> None:
    for head, reader in (
        (b"", RequestReader()),
        (HEAD + CHUNKED, RequestReader()),
        (b"", ResponseReader("GET")),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED, ResponseReader("GET")),
    ):
        wire, _, _ = whole(reader, cut(head + data, cuts))
        assert (head + data).removeprefix(b"\r\n").startswith(wire)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "both Content-Length and"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "not just chunked"),
        (b"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding is not just chunked"),
        (b"Transfer-Encoding: identity\r\n", "Transfer-Encoding is not just chunked"),
        (b"Transfer-Encoding: \x0bchunked\r\n", "malformed header line"),
        (b"Transfer-Encoding:\r\nContent-Length: 4\r\n", "both Content-Length and"),
        (b"Transfer-Encoding:\r\n", "Transfer-Encoding is not just chunked"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", "more than one"),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n", "malformed Content-Length"),
    ],
)
def test_a_request_with_two_ends_is_refused(fields: bytes, why: str) -> None:
    problem = RequestReader().feed(HEAD + fields + b"\r\n").problem

    assert problem is not None
    assert why in str(problem)
    assert problem.status == 400


def test_http_1_0_has_no_chunks() -> None:
    problem = RequestReader().feed(b"POST / HTTP/1.0\r\n" + CHUNKED).problem

    assert str(problem) == "Transfer-Encoding is not just chunked"


@pytest.mark.parametrize("size", [1000, HEAD_LIMIT + 1000])
def test_a_head_that_does_not_end_is_refused(size: int) -> None:
    reader = RequestReader()
    pieces = [HEAD, *[b"X: " + b"x" * size + b"\r\n"] * (HEAD_LIMIT // size + 1)]
    problems = [reader.feed(piece).problem for piece in pieces]

    (problem,) = filter(None, problems)
    assert problem.status == 431
    assert str(problem) == "the headers are longer than 128 KiB"


def test_requests_come_one_at_a_time() -> None:
    reader = RequestReader()
    two = HEAD + b"Content-Length: 2\r\n\r\nhi" + b"\r\nGET /two HTTP/1.1\r\n\r\n"

    assert reader.feed(two).ended
    rest = reader.proceed()
    read = reader.feed(rest)

    assert read.heads[0].target == b"/two"
    assert read.ended
    assert reader.proceed() == b""


@pytest.mark.parametrize("pieces", [[b"\r\n" + HEAD], [b"\r", b"\n" + HEAD], [b"\r\n", HEAD]])
def test_an_empty_line_before_a_request_is_passed_over(pieces: list[bytes]) -> None:
    assert whole(RequestReader(), [*pieces, b"\r\n"]) == (HEAD + b"\r\n", b"", "")


@pytest.mark.parametrize("fields", [b"", b"Content-Length: 4\r\n", CHUNKED.removesuffix(b"\r\n")])
def test_what_follows_connect_is_the_tunnels(fields: bytes) -> None:
    reader = RequestReader()

    assert reader.feed(b"CONNECT a:443 HTTP/1.1\r\n" + fields + b"\r\n\x16\x03\x01").ended
    assert reader.rest == b"\x16\x03\x01"


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", b"200 OK"), ("GET", b"204 x"), ("GET", b"304 x")]
)
def test_a_response_that_has_no_body_ends_at_once(method: str, status: bytes) -> None:
    reader = ResponseReader(method)

    assert reader.feed(b"HTTP/1.1 " + status + b"\r\nContent-Length: 9\r\n\r\n").ended
    assert reader.delimited


def test_after_101_everything_is_left_as_it_is() -> None:
    reader = ResponseReader("GET")

    read = reader.feed(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x00")

    assert (read.ended, reader.rest) == (True, b"\x81\x00")


@pytest.mark.parametrize("fields", [b"", b"Transfer-Encoding: gzip\r\n"])
def test_a_response_without_an_end_ends_with_its_connection(fields: bytes) -> None:
    reader = ResponseReader("GET")
    assert not reader.eof()

    assert reader.feed(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nhalf").body == b"half"

    assert reader.eof()
    assert not reader.delimited


def test_a_response_that_is_cut_off_is_not_whole() -> None:
    reader = ResponseReader("GET")

    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    assert not reader.eof()


def test_a_response_with_two_ends_is_refused() -> None:
    fields = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + CHUNKED

    assert "both" in str(ResponseReader("GET").feed(fields).problem)


def test_what_came_before_a_fault_is_given_out() -> None:
    read = ResponseReader("GET").feed(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"3\r\none\r\nzz\r\n")

    assert (read.wire, read.body) == (b"3\r\none\r\n", b"one")
    assert str(read.problem) == "malformed chunk size"
