from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from traceproof.proxy.testing import Match, Request, Say, Scene, Script, ScriptedModel, Status, Turn

Post = Callable[..., Any]


def says(text: str = "hi", **more: Any) -> list[Turn]:
    return [Turn([Say(text)], **more)]


def test_it_answers_and_keeps_what_passed(post: Post, body: Callable[..., bytes]) -> None:
    sent = body(stream=False)
    with ScriptedModel(says()) as model:
        assert model.url == f"http://127.0.0.1:{model.port}"
        got = post(model, sent, "/v1/messages?beta=true", {"X-Api-Key": "fake"})
        (call,) = model.wait_for(1)

    assert got.json["content"][0]["text"] == "hi"
    assert (call.method, call.target) == ("POST", "/v1/messages?beta=true")
    assert ("X-Api-Key", "fake") in call.request_headers
    assert list(call.response_headers) == got.headers
    assert call.request_sha256 == sha256(sent).hexdigest()
    assert call.response_sha256 == sha256(got.body).hexdigest()
    assert 0 < call.started <= call.request_ended <= call.response_started <= call.ended


def test_scenes_are_answered_at_once_and_apart(post: Post, body: Callable[..., bytes]) -> None:
    words = [f"part {number}" for number in range(8)]
    scenes = [Scene(says(word.upper()), Match(user=word), word) for word in words]
    with ScriptedModel(Script(scenes)) as model, ThreadPoolExecutor(8) as pool:

        def ask(word: str) -> str:
            said = post(model, body({"role": "user", "content": word}, stream=False))
            return str(said.json["content"][0]["text"])

        assert list(pool.map(ask, words)) == [word.upper() for word in words]
        assert {call.scene for call in model.wait_for(8)} == set(words)


def test_a_retry_gets_the_real_answer(post: Post) -> None:
    with ScriptedModel(says(faults=[Status(529, times=1)])) as model:
        assert [post(model).status, post(model).status] == [529, 200]

    assert [call.cue and call.cue.attempt for call in model.calls] == [0, 1]


def test_requests_that_nobody_wrote_a_turn_for_are_listed(post: Post) -> None:
    with ScriptedModel(Script()) as model:
        post(model)
        post(model, path="/api/eval")

    assert [call.path for call in model.model_calls] == ["/v1/messages"]
    assert model.unmatched == model.model_calls


def test_only_the_last_calls_may_be_kept(post: Post) -> None:
    with ScriptedModel(says(), keep=2) as model:
        for _ in range(5):
            post(model)

    assert (len(model.calls), model.ended) == (2, 5)


def test_waiting_in_vain_says_for_what() -> None:
    with ScriptedModel(says()) as model:
        with pytest.raises(TimeoutError, match="2 calls to end; 0 calls have ended"):
            model.wait_for(2, timeout=0.01)
        with pytest.raises(TimeoutError, match="1 answers to be held"):
            model.wait_held(timeout=0.01)


def test_a_busy_port_is_an_error_of_the_caller() -> None:
    with ScriptedModel(says()) as model, pytest.raises(OSError, match="in use"):
        ScriptedModel(says(), port=model.port).start()


def test_closing_breaks_off_open_connections() -> None:
    with (
        ScriptedModel(says()) as model,
        socket.create_connection(("127.0.0.1", model.port), timeout=10) as client,
    ):
        client.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert client.recv(4096)
        model.close()
        model.close()

        assert client.recv(4096) == b""


def test_a_fault_in_the_script_itself_comes_out(request_bytes: Callable[..., bytes]) -> None:
    def broken(_request: Request) -> Turn:
        raise LookupError("no such turn")

    model = ScriptedModel(broken).start()
    with socket.create_connection(("127.0.0.1", model.port), timeout=10) as client:
        client.sendall(request_bytes())
        assert client.recv(4096) == b""

    with pytest.raises(LookupError, match="no such turn"):
        model.close()


def test_it_speaks_tls(post: Post, tmp_path: Path) -> None:
    certificate = tmp_path / "model.pem"
    certificate.write_bytes(self_signed("127.0.0.1"))
    trust = ssl.create_default_context(cafile=certificate)
    trust.check_hostname = False
    with ScriptedModel(says(), certificate=certificate) as model:
        assert model.url.startswith("https://")
        assert b"message_stop" in post(model, tls=trust).body


def self_signed(host: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
