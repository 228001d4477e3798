from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography.hazmat.primitives import serialization
from opentelemetry.sdk.trace import ReadableSpan

from support.otlp_server import OtlpServer, Reply
from traceproof.export.endpoint import Endpoint
from traceproof.export.readable import readable
from traceproof.export.sender import Sender, TooLargeError
from traceproof.proxy.authority import Authority, open_authority
from traceproof.recorder import otlp
from traceproof.recorder.reader import Record
from traceproof.recorder.span import Span

SOON = (("retry-after", "0"),)
SECRET = "sk-push-0123456789"


def span(number: int = 1) -> ReadableSpan:
    ours = Span("1" * 32, f"{number:016x}", "x", start=1, end=2)
    return readable(Record(ours, {}, otlp.Scope()), "", {})


def sender(url: str, again: list[str] | None = None, **headers: str) -> Sender:
    endpoint = Endpoint(f"{url}/v1/traces", headers)
    return Sender(endpoint, timeout=10, again=(again if again is not None else []).append)


def test_a_batch_arrives_with_our_headers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={SECRET}")
    with OtlpServer() as server, sender(server.url, authorization="Bearer x") as connected:
        assert connected.send([span(1), span(2)]) == (0, "")

    (asked,) = server.asked
    assert asked.path == "/v1/traces"
    assert server.ids == ["0000000000000001", "0000000000000002"]
    assert asked.headers["authorization"] == "Bearer x"
    assert asked.headers["content-type"] == "application/x-protobuf"
    assert asked.headers["content-encoding"] == "gzip"
    assert "api-key" not in asked.headers


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again(status: int) -> None:
    again: list[str] = []
    with (
        OtlpServer(Reply(status, SOON), Reply(status, SOON)) as server,
        sender(server.url, again) as connected,
    ):
        assert connected.send([span()]) == (0, "")

    assert len(server.asked) == 3
    assert server.ids == ["0000000000000001"]
    assert [why.split()[:2] for why in again] == [["answered", str(status)]] * 2


def test_no_connection_is_tried_again_and_then_told_without_the_address_secrets() -> None:
    again: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    endpoint = Endpoint(f"http://ada:{SECRET}@127.0.0.1:{port}/v1/traces?k={SECRET}", {})

    with (
        Sender(endpoint, timeout=2, again=again.append) as connected,
        pytest.raises(ConnectionError) as raised,
    ):
        connected.send([span()])

    assert str(raised.value) == f"http://127.0.0.1:{port}/v1/traces: no connection"
    assert "no connection" in again


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_final_and_told_in_the_servers_words(status: int) -> None:
    with (
        OtlpServer(always=Reply(status, text="no such\nproject")) as server,
        sender(server.url, key=SECRET) as connected,
        pytest.raises(ConnectionError, match=rf"answered {status} .*: no such project$") as raised,
    ):
        connected.send([span()])

    assert len(server.asked) == 1
    assert SECRET not in str(raised.value)


def test_a_batch_that_is_too_large_is_an_error_of_its_own() -> None:
    with (
        OtlpServer(always=Reply(413)) as server,
        sender(server.url) as connected,
        pytest.raises(TooLargeError),
    ):
        connected.send([span()])


def test_spans_that_a_success_refuses_are_counted() -> None:
    with (
        OtlpServer(Reply(rejected=1, text="too old")) as server,
        sender(server.url) as connected,
    ):
        assert connected.send([span(1), span(2)]) == (1, "too old")


def test_no_more_spans_are_refused_than_were_sent() -> None:
    with OtlpServer(Reply(rejected=99)) as server, sender(server.url) as connected:
        assert connected.send([span(1), span(2)]) == (2, "")


@pytest.mark.parametrize("status", [301, 302, 304, 307])
def test_a_redirect_is_neither_followed_nor_taken_for_success(status: int) -> None:
    with (
        OtlpServer() as elsewhere,
        OtlpServer(always=Reply(status, (("location", f"{elsewhere.url}/v1/traces"),))) as server,
        sender(server.url, key=SECRET) as connected,
        pytest.raises(ConnectionError, match=f"answered {status} .* a push does not follow$"),
    ):
        connected.send([span()])

    assert (len(server.asked), elsewhere.asked) == (1, [])


def test_a_page_is_not_taken_for_success() -> None:
    page = Reply(200, (("content-type", "text/html; charset=utf-8"),), rejected=1, text="Log in")
    with (
        OtlpServer(always=page) as server,
        sender(server.url) as connected,
        pytest.raises(ConnectionError, match="answered 200 with a page for people"),
    ):
        connected.send([span()])


def test_what_the_homes_netrc_has_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login ada password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with OtlpServer() as server:
        with sender(server.url, authorization="Bearer ours") as connected:
            connected.send([span()])
        with sender(server.url) as connected:
            connected.send([span()])

    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer ours", None]


def test_a_certificate_that_is_not_trusted_is_told_at_once_and_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = open_authority(tmp_path / "ca")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    again: list[str] = []
    with OtlpServer(tls=_tls(authority, tmp_path / "server.pem")) as server:
        with (
            sender(server.url, again) as connected,
            pytest.raises(ConnectionError, match="its certificate is not trusted"),
        ):
            connected.send([span()])
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certifi.where()))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "ca.pem"))
        with sender(server.url, again) as connected:
            connected.send([span()])

    assert (again, len(server.asked)) == ([], 1)


def _tls(authority: Authority, path: Path) -> ssl.SSLContext:
    key = authority.leaf_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(authority.issue(["127.0.0.1"]).public_bytes(serialization.Encoding.PEM) + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_headers_of_the_environment_are_not_logged_whatever_they_say(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization: Bearer {SECRET}")
    with OtlpServer() as server, sender(server.url) as connected:
        connected.send([span()])

    assert capfd.readouterr() == ("", "")
    assert SECRET not in caplog.text


def test_nothing_is_logged(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (
        OtlpServer(Reply(503, SOON), Reply(400)) as server,
        sender(server.url) as connected,
        pytest.raises(ConnectionError),
    ):
        connected.send([span()])

    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
