"""The receiver on a real socket: HTTP clients, real exporters, and clients that misbehave."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest

from traceproof.recorder import otlp
from traceproof.recorder.receiver import Receiver

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
DEADLINE = 10.0


def body_of(name: str) -> bytes:
    span = {"traceId": TRACE, "spanId": SPAN, "name": name}
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


class Client:
    """One keep-alive connection to a receiver."""

    def __init__(self, receiver: Receiver) -> None:
        address = urlsplit(receiver.endpoint)
        assert address.port
        self.path = address.path
        self.http = http.client.HTTPConnection("127.0.0.1", address.port, timeout=DEADLINE)

    def post(self, body: object, path: str = "/v1/traces", **headers: str) -> tuple[int, bytes]:
        self.send(body, path, **headers)
        return self.receive()

    def send(self, body: object, path: str = "/v1/traces", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http.request(
            "POST",
            self.path + path,
            body,  # type: ignore[arg-type]
            {"content-type": "application/json", **named},
            encode_chunked=not isinstance(body, bytes),
        )

    def receive(self) -> tuple[int, bytes]:
        response = self.http.getresponse()
        return response.status, response.read()


Connect = Callable[[Receiver], Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[Client] = []

    def connected(receiver: Receiver) -> Client:
        clients.append(Client(receiver))
        return clients[-1]

    yield connected
    for client in clients:
        client.http.close()


def names(received: list[otlp.TracesData]) -> list[str]:
    return [
        span.name
        for data in received
        for resource in data.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_requests_come_in_over_one_connection_by_length_and_in_chunks(connect: Connect) -> None:
    received: list[otlp.TracesData] = []
    with Receiver(received.append) as receiver:
        client = connect(receiver)
        first = client.post(body_of("one"))
        kept = client.http.sock
        second = client.post(iter([body_of("two")[:9], body_of("two")[9:]]))

        assert (200, b"{}") == first == second
        assert kept is client.http.sock

    assert names(received) == ["one", "two"]
    assert receiver.counts == {"traces": 2}


def test_two_receivers_do_not_meet(connect: Connect) -> None:
    with Receiver(lambda _: None) as one, Receiver(lambda _: None) as other:
        client = connect(one)
        client.path = urlsplit(other.endpoint).path

        assert one.endpoint != other.endpoint
        assert client.post(body_of("lost"))[0] == 404

    assert one.counts == {"refused": 1}


def test_logs_and_metrics_are_counted_and_handed_on_as_asked(connect: Connect) -> None:
    others: list[tuple[str, str, bytes]] = []
    with Receiver(lambda _: None, on_other=lambda *other: others.append(other)) as receiver:
        client = connect(receiver)
        client.post(b'{"resourceLogs":[]}', "/v1/logs")
    with Receiver(lambda _: None) as counting:
        connect(counting).post(b"{}", "/v1/metrics")

    assert others == [("logs", "application/json", b'{"resourceLogs":[]}')]
    assert receiver.counts == {"logs": 1}
    assert counting.counts == {"metrics": 1}


def test_a_malformed_body_is_answered_and_the_connection_lives_on(connect: Connect) -> None:
    received: list[otlp.TracesData] = []
    with Receiver(received.append) as receiver:
        client = connect(receiver)

        status, body = client.post(b"{")
        assert status == 400
        assert msgspec.json.decode(body)["code"] == 3
        assert client.post(body_of("after")) == (200, b"{}")

    assert names(received) == ["after"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_body_that_is_too_large_is_answered(connect: Connect, *, whole: bool) -> None:
    with Receiver(lambda _: None, limit=1000) as receiver:
        client = connect(receiver)

        status, body = client.post(bytes(200_000) if whole else iter([bytes(2000)]))

        assert status == 413
        assert b"too large" in body


def test_a_wrong_method_is_answered(connect: Connect) -> None:
    with Receiver(lambda _: None) as receiver:
        client = connect(receiver)
        client.http.request("GET", f"{client.path}/v1/traces")

        assert client.receive()[0] == 405


def raw(receiver: Receiver, sent: bytes) -> bytes:
    """Send bytes, say that no more will come, and return all that is answered."""
    port = urlsplit(receiver.endpoint).port
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\n123",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12",
        b"BREW / HTTP/1.1\r\n\r\n",
    ],
)
def test_clients_that_misbehave_harm_nobody(
    connect: Connect, capfd: pytest.CaptureFixture[str], sent: bytes
) -> None:
    received: list[otlp.TracesData] = []
    with Receiver(received.append) as receiver:
        raw(receiver, sent)
        connect(receiver).post(body_of("fine"))

    assert names(received) == ["fine"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "head", [b"content-length: x", b"transfer-encoding: gzip", b"transfer-encoding: chunked"]
)
def test_a_malformed_length_is_answered(head: bytes) -> None:
    with Receiver(lambda _: None) as receiver:
        answer = raw(receiver, b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nzz\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_the_agent_is_asked_to_go_on_where_it_waits_to_be() -> None:
    body = body_of("waited")
    with Receiver(lambda _: None) as receiver:
        path = urlsplit(receiver.endpoint).path.encode()
        answer = raw(
            receiver,
            b"POST %s/v1/traces HTTP/1.1\r\nexpect: 100-continue\r\n" % path
            + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body),
        )

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


def test_a_fault_of_the_recorder_is_logged_and_answered(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_: otlp.TracesData) -> None:
        raise OSError("disk full")

    with Receiver(failing) as receiver:
        assert connect(receiver).post(body_of("lost"))[0] == 500

    assert receiver.counts == {"lost": 1}
    assert "disk full" in caplog.text


def test_stopping_waits_for_the_request_in_flight_and_closes_idle_ones(connect: Connect) -> None:
    arrived, go_on = threading.Event(), threading.Event()
    received: list[otlp.TracesData] = []

    def slow(data: otlp.TracesData) -> None:
        if names([data]) == ["slow"]:
            arrived.set()
            go_on.wait(DEADLINE)
        received.append(data)

    receiver = Receiver(slow)
    receiver.start()
    idle, busy = connect(receiver), connect(receiver)
    idle.post(body_of("before"))
    busy.send(body_of("slow"))
    arrived.wait(DEADLINE)
    stopping = threading.Thread(target=receiver.stop, args=(DEADLINE,))
    stopping.start()
    assert idle.http.sock.recv(1) == b""

    go_on.set()

    assert busy.receive() == (200, b"{}")
    stopping.join(DEADLINE)
    assert not stopping.is_alive()
    assert names(received) == ["before", "slow"]


def test_stopping_gives_up_on_a_request_that_never_ends(connect: Connect) -> None:
    receiver = Receiver(lambda _: None)
    receiver.start()
    client = connect(receiver)
    client.http.putrequest("POST", "/")
    client.http.putheader("content-length", "5")
    client.http.putheader("expect", "100-continue")
    client.http.endheaders()
    assert client.http.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"

    receiver.stop(deadline=0.05)

    with pytest.raises(ConnectionRefusedError):
        connect(receiver).http.connect()


def test_stopping_twice_or_unstarted_is_nothing() -> None:
    receiver = Receiver(lambda _: None)
    receiver.stop()
    receiver.stop()
