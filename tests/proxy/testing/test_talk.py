from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, Self

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from traceproof.proxy.testing import (
    Burst,
    Delay,
    Drop,
    Encode,
    Hold,
    Say,
    ScriptedModel,
    Split,
    Turn,
)
from traceproof.proxy.testing.faults import AnyFault

PATH = "/v1/responses"


class Client:
    """A web socket's client that is not this project's: wsproto over a blocking socket."""

    def __init__(self, model: ScriptedModel, path: str = PATH, *, deflate: bool = True) -> None:
        self._socket = socket.create_connection(("127.0.0.1", model.port), timeout=10)
        self._talk = WSConnection(ConnectionType.CLIENT)
        offers = [PerMessageDeflate()] if deflate else []
        self._socket.sendall(self._talk.send(Request("model", path, extensions=offers)))
        self._events = self._heard()
        self.opened = next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _heard(self) -> Iterator[Event]:
        while data := self._socket.recv(65536):
            self._talk.receive_data(data)
            yield from self._talk.events()

    def send(self, event: Event) -> None:
        self._socket.sendall(self._talk.send(event))

    def next(self) -> Event | None:
        return next(self._events, None)

    def create(self, text: str = "hi", **more: Any) -> bytes:
        """Ask for a response, in two fragments; return the message."""
        message = {"type": "response.create", "model": "m", "input": text, **more}
        payload = json.dumps(message)
        self.send(TextMessage(payload[:9], message_finished=False))
        self.send(TextMessage(payload[9:]))
        return payload.encode()

    def answer(self) -> bytes:
        """Return the messages up to the last of a response, end to end."""
        said, text = "", ""
        while (event := self.next()) is not None:
            if isinstance(event, Message):
                text += str(event.data)
                if event.message_finished:
                    said, done, text = said + text, json.loads(text)["type"], ""
                    if done in {"response.completed", "error"}:
                        break
        return (said + text).encode()


def says(*faults: AnyFault) -> list[Turn]:
    return [Turn([Say("naïve ✓ text")], faults=faults)]


@pytest.mark.parametrize("path", [PATH, "/backend-api/codex/responses"])
def test_a_message_is_a_call_with_its_exact_bytes(path: str) -> None:
    with ScriptedModel(says()) as model, Client(model, path) as client:
        assert isinstance(client.opened, AcceptConnection)
        sent = client.create()
        got = client.answer()
        upgrade, call = model.wait_for(2)

    assert (upgrade.status, upgrade.wire, upgrade.outcome) == (101, "", "complete")
    assert (call.method, call.target, call.wire) == ("GET", path, "openai-responses-websocket")
    assert (call.request_body, call.response_body) == (sent, got)
    assert upgrade.connection == call.connection == 0


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize(
    "faults",
    [
        [Encode()],
        [Split("characters")],
        [Encode(), Split("bytes", 7)],
        [Burst(3)],
        [Burst()],
        [Delay(first=0.001, each=0.0001)],
    ],
)
def test_messages_come_whole_however_they_go_out(faults: list[AnyFault], *, deflate: bool) -> None:
    with ScriptedModel(says(*faults)) as model, Client(model, deflate=deflate) as client:
        for _ in range(2):
            client.create()
            assert client.answer() == model.calls[-1].response_body


def test_compression_can_be_declined() -> None:
    with ScriptedModel(says(), deflate=False) as model, Client(model) as client:
        assert isinstance(client.opened, AcceptConnection)
        assert client.opened.extensions == []


def test_upgrades_can_be_refused_one_after_the_other() -> None:
    with ScriptedModel(says(), upgrades=[426, 503, 101]) as model:
        opened = []
        for _ in range(4):
            with Client(model) as client:
                opened.append(client.opened)

    assert [getattr(event, "status_code", 101) for event in opened] == [426, 503, 101, 101]
    assert isinstance(opened[0], RejectConnection)
    assert [call.status for call in model.calls] == [426, 503, 101, 101]


def test_no_other_path_has_a_web_socket() -> None:
    with ScriptedModel(says()) as model, Client(model, "/v1/realtime") as client:
        assert isinstance(client.opened, RejectConnection)
        assert client.opened.status_code == 404


def test_a_connection_that_drops_ends_inside_a_message() -> None:
    with ScriptedModel(says(Drop(after=700))) as model, Client(model) as client:
        client.create()
        got = client.answer()
        call = model.wait_for(2)[1]

    assert call.outcome == "dropped"
    assert len(call.response_body) == 700
    assert call.response_body.startswith(got)


def test_a_held_answer_goes_on_when_told_and_pings_are_answered_meanwhile() -> None:
    with ScriptedModel(says(Hold(after=2))) as model, Client(model) as client:
        client.create()
        model.wait_held()
        assert [isinstance(client.next(), Message) for _ in range(2)] == [True, True]
        client.send(Ping(b"?"))
        assert isinstance(client.next(), Pong)
        model.release()
        assert client.answer().endswith(b"}")


def test_a_close_is_answered_and_ends_the_connection() -> None:
    with ScriptedModel(says()) as model, Client(model) as client:
        client.send(CloseConnection(1000))
        assert isinstance(client.next(), CloseConnection)
        assert client.next() is None


def test_a_model_closes_with_web_sockets_open() -> None:
    with ScriptedModel(says(Hold())) as model:
        client = Client(model)
        client.create()
        model.wait_held()

    with client:
        assert client.next() is None
    assert model.calls[1].outcome == "client closed"
