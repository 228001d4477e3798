from __future__ import annotations

from collections.abc import Sequence

import pytest
from wsproto.connection import CLIENT, Connection
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from traceproof.proxy.testing import frames
from traceproof.proxy.testing.frames import Frames, frame
from traceproof.proxy.testing.messages import Messages, plain

PAYLOADS = [b'{"type":"a","delta":"na\xc3\xafve"}', b'{"type":"b","delta":"\xe2\x9c\x93"}']


def client(parameters: str | None = None) -> Connection:
    """Return a client that agreed on these parameters of compression."""
    if parameters is None:
        return Connection(CLIENT)
    deflate = PerMessageDeflate()
    deflate.finalize(f"permessage-deflate; {parameters}")
    return Connection(CLIENT, [deflate])


def heard(connection: Connection, *writes: bytes) -> list[Event]:
    for data in writes:
        connection.receive_data(data)
    return list(connection.events())


def texts(events: Sequence[Event]) -> list[str]:
    """Return the texts of messages, put together from their fragments."""
    found, text = [], ""
    for event in events:
        if isinstance(event, Message):
            text += str(event.data)
            if event.message_finished:
                found.append(text)
                text = ""
    return found


def in_fragments(*, deflate: bool, size: int = 3) -> Messages:
    chunks, ends = [], []
    for payload in PAYLOADS:
        chunks += [payload[at : at + size] for at in range(0, len(payload), size)]
        ends.append(len(chunks))
    return Messages(101, [], chunks, "none", plan=chunks, ends=ends, deflate=deflate)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_frame_of_any_size(size: int) -> None:
    (event,) = heard(client(), frame(frames.TEXT, b"x" * size))

    assert isinstance(event, TextMessage)
    assert event.data == "x" * size


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("parameters", [None, "", "server_no_context_takeover"])
def test_messages_in_fragments_are_what_they_were(parameters: str | None, *, deflate: bool) -> None:
    agreed = None if parameters is None else [parameters] if parameters else []
    sender, receiver = Frames(agreed), client(parameters)
    answer = in_fragments(deflate=deflate)

    for _ in range(2):  # what was compressed before helps to compress what comes
        writes = sender.writes(answer)
        assert len(writes) == len(answer.chunks)
        assert texts(heard(receiver, *writes)) == [payload.decode() for payload in PAYLOADS]


def test_a_fragment_may_end_inside_a_character() -> None:
    first, *_ = Frames(None).writes(in_fragments(deflate=False, size=24))

    assert first.endswith(b"na\xc3")


def test_compression_is_only_used_where_it_was_agreed_on() -> None:
    assert Frames(None).writes(in_fragments(deflate=True)) == Frames(None).writes(
        in_fragments(deflate=False)
    )


def test_a_ping_goes_before_a_fragment_even_inside_a_message() -> None:
    answer = in_fragments(deflate=False)
    pinged = Messages(
        101, [], answer.chunks, "none", plan=answer.plan, ends=answer.ends, pings=frozenset({1})
    )

    events = heard(client(), *Frames(None).writes(pinged))
    assert [isinstance(event, Ping) for event in events[:3]] == [False, True, False]
    assert texts(events) == [payload.decode() for payload in PAYLOADS]


def test_what_is_cut_short_breaks_off_inside_its_frame() -> None:
    whole = in_fragments(deflate=False, size=10)
    cut = Messages(101, [], [*whole.chunks[:1], b"ab"], "none", plan=whole.plan, ends=whole.ends)

    first, second = Frames(None).writes(cut)
    assert first == Frames(None).writes(whole)[0]
    assert second == Frames(None).writes(whole)[1][:4]


def test_a_clients_messages_are_put_together() -> None:
    for parameters in (None, ""):
        server, sender = Frames(None if parameters is None else []), client(parameters)
        start = sender.send(TextMessage("na\xef", message_finished=False))
        end = sender.send(TextMessage("ve"))

        assert server.feed(start) == []
        assert server.started
        assert server.feed(end + sender.send(BytesMessage(b"\xff"))) == [
            "na\xefve".encode(),
            b"\xff",
        ]
        assert not server.started


def test_a_ping_is_answered_and_a_close_is_echoed() -> None:
    server, sender = Frames(None), client()

    assert server.feed(sender.send(Ping(b"?"))) == []
    assert not server.closed
    server.feed(sender.send(CloseConnection(1000)))
    assert server.closed
    pong, close = heard(sender, server.replies)
    assert isinstance(pong, Pong)
    assert isinstance(close, CloseConnection)


def test_what_is_no_web_socket_closes_it() -> None:
    server = Frames(None)

    assert server.feed(b"\xff\xff\xff\xff") == []
    assert server.closed
    (close,) = heard(client(), server.replies)
    assert isinstance(close, CloseConnection)
    assert close.code == 1002


def test_without_wsproto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "connection", None)

    with pytest.raises(RuntimeError, match=r"pip install traceproof\[proxy\]"):
        Frames(None)


def test_messages_without_fragments_are_a_frame_each() -> None:
    writes = Frames(None).writes(plain(PAYLOADS))
    assert [write[2:] for write in writes] == PAYLOADS
