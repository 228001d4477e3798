from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence

import pytest

from traceproof.proxy.testing import Echo, Encode, Say, Scene, Script, Status, Turn
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.model import CACHE_SIZE, Exchanged, Model

MESSAGES = "/v1/messages?beta=true"
HI = Script.of([Turn([Say("hi")])])


def ask(
    model: Model,
    body: bytes,
    target: str = MESSAGES,
    *,
    method: str = "POST",
    headers: Sequence[tuple[str, str]] = (),
    version: str = "HTTP/1.1",
) -> Exchanged:
    return model.exchange(Head(method, target, version, list(headers)), body)


def test_a_model_call_is_answered_in_its_own_format(body: Callable[..., bytes]) -> None:
    model = Model(HI)
    anthropic = ask(model, body(stream=False))
    openai = ask(model, body(stream=False), "/v1/chat/completions")

    assert json.loads(anthropic.answer.body)["content"][0]["text"] == "hi"
    assert json.loads(openai.answer.body)["choices"][0]["message"]["content"] == "hi"


def test_the_same_turn_for_the_same_conversation_is_made_once(body: Callable[..., bytes]) -> None:
    model = Model(HI)

    assert ask(model, body()).answer is ask(model, body()).answer
    assert ask(model, body()).answer is not ask(model, body(stream=False)).answer


def test_what_depends_on_the_request_is_made_anew(body: Callable[..., bytes]) -> None:
    model = Model(Script.of([Turn([Echo("say (.*)")])]))
    said = [
        ask(model, body({"role": "user", "content": f"say {word}"}, stream=False)).answer.body
        for word in ("one", "two")
    ]

    assert [json.loads(each)["content"][0]["text"] for each in said] == ["one", "two"]


def test_the_bytes_kept_are_bounded(body: Callable[..., bytes]) -> None:
    model = Model(HI)
    for number in range(CACHE_SIZE + 5):
        ask(model, body({"role": "user", "content": str(number)}))

    assert len(model._kept) == CACHE_SIZE


def test_faults_are_used_up(body: Callable[..., bytes]) -> None:
    model = Model(Script.of([Turn([Say("hi")], faults=[Status(529, times=2)])]))

    assert [ask(model, body()).answer.status for _ in range(4)] == [529, 529, 200, 200]


def test_encoding_depends_on_what_the_request_allows(body: Callable[..., bytes]) -> None:
    model = Model(Script.of([Turn([Say("hi")], faults=[Encode("gzip")])]))
    plain = ask(model, body()).answer.body
    encoded = ask(model, body(), headers=[("accept-encoding", "gzip")]).answer.body

    assert gzip.decompress(encoded) == plain


def test_an_encoded_request_is_understood(body: Callable[..., bytes]) -> None:
    sent = gzip.compress(body())
    exchanged = ask(Model(HI), sent, headers=[("content-encoding", "gzip")])

    assert exchanged.request.user == "hi"
    assert exchanged.request.body == sent


def test_lone_surrogates_are_no_reason_to_refuse(body: Callable[..., bytes]) -> None:
    sent = body({"role": "user", "content": "half \ud83d"})

    assert ask(Model(HI), sent).answer.status == 200


@pytest.mark.parametrize("sent", [b"{oops", b"[]", b"{}", b'{"messages":[1]}', b"\xff\xfe\xfd"])
def test_a_malformed_request_is_told_so(sent: bytes) -> None:
    exchanged = ask(Model(HI), sent)

    assert exchanged.answer.status == 400
    assert json.loads(exchanged.answer.body)["error"]["type"] == "invalid_request_error"


def test_other_requests_are_answered_as_a_provider_would() -> None:
    model = Model(HI)
    openai = [("authorization", "Bearer x")]

    assert ask(model, b"", "/", method="HEAD").answer.status == 200
    assert ask(model, b"x" * 8, "/v1/messages/count_tokens").answer.body == b'{"input_tokens":3}'
    assert json.loads(ask(model, b"", "/api/eval").answer.body)["type"] == "error"
    assert ask(model, b"", "/v1/nothing", headers=openai).answer.status == 404


def test_the_oldest_http_gets_a_body_it_can_take(body: Callable[..., bytes]) -> None:
    assert ask(Model(HI), body(), version="HTTP/1.0").answer.framing == "close"


def test_what_no_scene_takes_is_marked(body: Callable[..., bytes]) -> None:
    exchanged = ask(Model(Script([Scene([], lambda _: False)])), body(stream=False))

    assert exchanged.cue
    assert exchanged.cue.scene == -1
    assert json.loads(exchanged.answer.body)["content"] == [{"type": "text", "text": "OK"}]


def test_there_is_no_proxy_and_no_web_socket_but_for_responses() -> None:
    model = Model(HI, upgrades=[426])
    asked = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    assert ask(model, b"", "model:443", method="CONNECT").answer.status == 405
    assert ask(model, b"", "/v1/messages", method="GET", headers=asked).answer.status == 404
    refused = ask(model, b"", "/v1/responses", method="GET", headers=asked)
    assert (refused.answer.status, refused.wire) == (426, "")
    malformed = ask(model, b"", "/v1/responses", method="GET", headers=asked[:3])
    assert malformed.answer.status == 400
    other = [("Connection", "Upgrade"), ("Upgrade", "h2c")]
    assert ask(model, b"", "/", method="HEAD", headers=other).answer.status == 200


def test_what_chatgpt_is_asked_beside_model_calls() -> None:
    answer = ask(Model(HI), b"", "/backend-api/wham/accounts/check", method="GET").answer

    assert "accounts" in json.loads(answer.body)
