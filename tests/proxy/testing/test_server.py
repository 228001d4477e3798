from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from traceproof.proxy.testing import (
    Burst,
    Cut,
    Delay,
    Drop,
    Encode,
    Frame,
    Header,
    Hold,
    Huge,
    Say,
    ScriptedModel,
    Split,
    Turn,
)

Raw = Callable[[ScriptedModel, bytes], bytes]
MakeRequest = Callable[..., bytes]


def says(*faults: Any) -> list[Turn]:
    return [Turn([Say("naïve ✓ text")], faults=faults)]


def connect(model: ScriptedModel) -> socket.socket:
    return socket.create_connection(("127.0.0.1", model.port), timeout=10)


def read_until(client: socket.socket, mark: bytes) -> bytes:
    received = b""
    while mark not in received:
        data = client.recv(65536)
        assert data, f"closed before {mark!r}: {received!r}"
        received += data
    return received


def unchunked(response: bytes) -> bytes:
    _, rest = response.split(b"\r\n\r\n", 1)
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            break
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def test_a_streamed_answer_on_the_wire(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says()) as model:
        response = raw(model, request_bytes())

    head, _, rest = response.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert b"transfer-encoding: chunked" in head
    assert rest.startswith(b"%x\r\nevent: message_start\n" % len(model.calls[0].answer.chunks[0]))
    assert rest.endswith(
        b"event: message_stop\ndata: " + b'{"type":"message_stop"}\n\n\r\n0\r\n\r\n'
    )
    assert unchunked(response) == model.calls[0].response_body


def test_requests_on_one_connection_are_answered_in_order(
    raw: Raw, request_bytes: MakeRequest, body: MakeRequest
) -> None:
    with ScriptedModel(lambda request: Turn([Say(request.user)])) as model:
        whole = [body({"role": "user", "content": word}, stream=False) for word in ("one", "two")]
        sent = request_bytes(whole[0], close=False) + request_bytes(whole[1])
        response = raw(model, sent)

    assert response.index(b'"text":"one"') < response.index(b'"text":"two"')
    assert [call.connection for call in model.calls] == [0, 0]


def test_a_held_answer_makes_the_next_wait(request_bytes: MakeRequest, body: MakeRequest) -> None:
    with ScriptedModel(says(Hold(after=0, times=1))) as model, connect(model) as client:
        client.sendall(request_bytes(body(), close=False) + request_bytes())
        assert b"200 OK" in read_until(client, b"\r\n\r\n")
        (call,) = model.wait_held()
        assert (call.sent, call.outcome) == (0, "running")
        model.release()
        rest = b""
        while data := client.recv(65536):
            rest += data

    assert rest.count(b"message_stop\n") == 2
    assert [call.outcome for call in model.calls] == ["complete", "complete"]


def test_a_client_that_expects_100_gets_it_first(
    request_bytes: MakeRequest, body: MakeRequest
) -> None:
    head, _, data = request_bytes(body(), "/v1/messages", "Expect: 100-continue").partition(
        b"\r\n\r\n"
    )
    with ScriptedModel(says()) as model, connect(model) as client:
        client.sendall(head + b"\r\n\r\n")
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(data)
        read_until(client, b"message_stop")

        assert model.wait_for(1)[0].request_body == data


def test_a_chunked_request_body_is_put_together(raw: Raw, body: MakeRequest) -> None:
    data = body()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (data[:9], data[9:]))
    head = b"POST /v1/messages HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with ScriptedModel(says()) as model:
        raw(model, head + chunks + b"0\r\n\r\n")

    assert model.calls[0].request_body == data


def test_a_request_of_many_megabytes(
    raw: Raw, request_bytes: MakeRequest, body: MakeRequest
) -> None:
    data = body({"role": "user", "content": "x" * (12 << 20)}, stream=False)
    with ScriptedModel(says()) as model:
        assert raw(model, request_bytes(data)).startswith(b"HTTP/1.1 200")

    assert model.calls[0].request_body == data


def test_an_absolute_target_is_answered_too(raw: Raw, request_bytes: MakeRequest) -> None:
    target = "http://api.example/v1/messages?beta=true"
    with ScriptedModel(says()) as model:
        assert b"message_stop" in raw(model, request_bytes(target=target))

    assert (model.calls[0].target, model.calls[0].path) == (target, "/v1/messages")


def test_what_is_no_http_is_told_so(raw: Raw) -> None:
    with ScriptedModel(says()) as model:
        assert raw(model, b"hello?\r\n\r\n").startswith(b"HTTP/1.1 400")

    assert model.calls == []


def test_a_greeting_has_no_body(raw: Raw) -> None:
    with ScriptedModel(says()) as model:
        response = raw(model, b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert response == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def test_cut_closes_without_the_end_mark(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Cut(events=2))) as model:
        response = raw(model, request_bytes(close=False))

    assert response.endswith(b"\n\n\r\n")
    assert unchunked(response) == model.calls[0].response_body
    assert model.calls[0].outcome == "dropped"


def test_drop_sends_so_many_bytes_and_closes(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Drop(after=100))) as model:
        response = raw(model, request_bytes(close=False))

    assert len(unchunked(response)) == len(model.calls[0].response_body) == 100


def test_drop_before_any_byte(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Drop())) as model:
        assert raw(model, request_bytes(close=False)) == b""

    (call,) = model.calls
    assert (call.status, call.response_body, call.outcome) == (0, b"", "dropped")


@pytest.mark.parametrize("after", [None, 50])
def test_drop_may_reset(raw: Raw, request_bytes: MakeRequest, after: int | None) -> None:
    with (
        ScriptedModel(says(Drop(after=after, reset=True))) as model,
        pytest.raises(ConnectionResetError),
    ):
        raw(model, request_bytes(close=False))


def test_chunks_go_out_one_by_one(request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Hold(after=2))) as model, connect(model) as client:
        client.sendall(request_bytes())
        (call,) = model.wait_held()
        first = b"".join(call.answer.chunks[:2])
        so_far = read_until(client, b'"text":""}}\n\n\r\n')
        assert unchunked(so_far) == call.response_body == first
        model.release()
        read_until(client, b"message_stop")


def test_delays_pass_before_and_between(raw: Raw, request_bytes: MakeRequest) -> None:
    began = time.monotonic()
    with ScriptedModel(says(Delay(first=0.05, each=0.01))) as model:
        raw(model, request_bytes())

    (call,) = model.calls
    pauses = len(call.answer.chunks) - 1
    assert time.monotonic() - began >= 0.05 + 0.01 * pauses
    assert call.response_started - call.request_ended >= 45_000_000


@pytest.mark.parametrize(
    "faults",
    [
        (Split("bytes", 1),),
        (Split("characters"), Encode("zstd", force=True)),
        (Burst(),),
        (Burst(chunks=3),),
        (Header(name="set-cookie", value="a=b"),),
    ],
)
def test_the_body_is_kept_as_it_was_sent(
    raw: Raw, request_bytes: MakeRequest, faults: tuple[Any, ...]
) -> None:
    with ScriptedModel(says(*faults)) as model:
        response = raw(model, request_bytes())

    assert unchunked(response) == model.calls[0].response_body


def test_a_body_that_the_closing_connection_ends(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Frame(by="close"))) as model:
        response = raw(model, request_bytes(close=False))

    assert response.partition(b"\r\n\r\n")[2] == model.calls[0].response_body


def test_a_huge_answer_to_a_slow_reader_comes_whole(raw: Raw, request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Huge(megabytes=8))) as model:
        response = raw(model, request_bytes())

    assert unchunked(response) == model.calls[0].response_body
    assert len(response) > 8 << 20


def test_a_client_that_goes_away_is_noted(request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Hold(after=1))) as model:
        with connect(model) as client:
            client.sendall(request_bytes())
            model.wait_held()
        (call,) = model.wait_for(1)

    assert call.outcome == "client closed"
    assert call.response_body == call.answer.chunks[0]


def test_a_client_that_goes_away_from_a_long_answer(request_bytes: MakeRequest) -> None:
    with ScriptedModel(says(Huge(megabytes=30))) as model:
        with connect(model) as client:
            client.sendall(request_bytes())
            read_until(client, b"\r\n\r\n")
        (call,) = model.wait_for(1)

    assert call.outcome == "client closed"
    assert len(call.response_body) < call.answer.size
