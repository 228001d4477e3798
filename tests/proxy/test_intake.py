from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from traceproof.proxy.exchange import Chunk
from traceproof.proxy.intake import Intake
from traceproof.proxy.testing import Encode, Insert, Say, Status, Use
from traceproof.recorder import semconv
from traceproof.recorder.span import StatusCode

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk
    from traceproof.recorder.span import Span

KEY = "sk-ant-api03-fake-key-0123456789"
MASKED = b"<SECRET:X_API_KEY>"


def lines(path: Path) -> bytes:
    """Return a trace's lines, all frames decompressed."""
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()


def state(span: Span) -> tuple[object, object]:
    return span.attributes[semconv.CALL_STATE], span.attributes.get(semconv.ERROR_TYPE)


GENERATE = "/v1beta/models/m-1:"


@pytest.mark.parametrize("verb", ["generate", "streamGenerate"])
@pytest.mark.parametrize("query", ["", "?alt=sse"])
def test_a_call_whose_path_names_the_model(desk: Desk, verb: str, query: str) -> None:
    path = f"{GENERATE}{verb}Content{query}"
    call = desk.answered(Say("Hello ✓"), Use("Bash", {"command": "ls"}), path=path)

    desk.take(call)

    kept = desk.kept()
    chat, tool = kept.spans
    assert (chat.name, state(chat)) == ("chat m-1", ("complete", None))
    assert chat.attributes[semconv.REQUEST_STREAM] is (verb != "generate")
    assert chat.attributes[semconv.PROVIDER_NAME] == "gcp.gemini"
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(chat, "response") == (sent, [])
    (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
    assert answer["parts"][1]["id"] == tool.attributes[semconv.TOOL_CALL_ID] != ""


@pytest.mark.parametrize("made_up", [{}, {"id": "Bash-1700000000000-4af"}])
def test_results_of_calls_without_ids_find_them(desk: Desk, made_up: dict[str, str]) -> None:
    path = f"{GENERATE}streamGenerateContent?alt=sse"
    call = {"functionCall": {"name": "Bash", "args": {}}}
    user = {"role": "user", "parts": [{"text": "Hello?"}]}
    model = {"role": "model", "parts": [call, call]}
    answers = [
        {"functionResponse": {**made_up, "name": "Bash", "response": {"output": text}}}
        for text in ("one", "two")
    ]
    talk = [user, model, {"role": "user", "parts": answers}, model, {"parts": answers[::-1]}]
    both = [Use("Bash", {}), Use("Bash", {})]

    for end, said in ((1, both), (3, both), (5, [Say("Done.")])):
        asked = json.dumps({"contents": talk[:end]}).encode()
        desk.take(desk.answered(*said, path=path, body=asked))

    spans = [span for span in desk.kept().spans if span.name == "execute_tool Bash"]
    results = [span.attributes[semconv.TOOL_CALL_RESULT] for span in spans]
    assert sorted(str(result) for result in results) == ["one", "one", "two", "two"]
    assert len({span.attributes[semconv.TOOL_CALL_ID] for span in spans}) == 4
    assert {span.attributes[semconv.TOOL_STATE] for span in spans} == {"answered"}


@pytest.mark.parametrize("query", ["", "?alt=sse"])
def test_a_key_in_the_pieces_of_any_stream_is_masked(desk: Desk, query: str) -> None:
    path = f"{GENERATE}streamGenerateContent{query}"
    call = desk.answered(Say(f"Your key is {KEY}!"), piece=3, path=path)
    call.request_headers = [("x-goog-api-key", KEY)]

    desk.take(call)

    kept = desk.kept()
    body, masks = kept.body(kept.one(), "response")
    assert [mask.encoding for mask in masks] == ["fragments"]
    assert body[masks[0].offset :].startswith(b"<SECRET:X_GOOG_API_KEY>")
    assert KEY not in str(kept.one())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions", "/v1/responses"])
def test_a_model_call_is_a_chat_span_with_its_bytes(desk: Desk, path: str, *, stream: bool) -> None:
    call = desk.answered(Say("Hello ✓"), Use("Bash", {"command": "ls"}), path=path, stream=stream)

    desk.take(call)

    kept = desk.kept()
    chat, tool = kept.spans
    assert chat.name == "chat m-1"
    assert state(chat) == ("complete", None)
    assert kept.body(chat, "request") == (call.request_chunks[0].data, [])
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(chat, "response") == (sent, [])
    (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
    assert [part["type"] for part in answer["parts"]] == ["text", "tool_call"]
    assert tool.attributes[semconv.TOOL_CALL_ARGUMENTS] == '{"command":"ls"}'
    assert chat.attributes[semconv.HTTP_STATUS] == 200
    assert chat.attributes[semconv.TIME_TO_FIRST_CHUNK] == 0.001


@pytest.mark.parametrize("fault", [Encode("gzip"), Encode("br"), Encode("zstd"), Encode("deflate")])
def test_an_encoded_answer_is_kept_as_sent_and_read_all_the_same(desk: Desk, fault: Encode) -> None:
    call = desk.answered(Say("Hello"), faults=[fault])

    desk.take(call)

    kept = desk.kept()
    chat = kept.one()
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(chat, "response") == (sent, [])
    assert chat.attributes[semconv.RESPONSE_ENCODING] == fault.coding
    assert semconv.BODY_KEPT_DECODED not in chat.attributes
    assert "Hello" in str(chat.attributes[semconv.OUTPUT_MESSAGES])


def test_an_answer_in_items_holds_no_key_either(desk: Desk) -> None:
    said, used = Say(f"Your key is {KEY}!"), Use("Bash", {"command": f"echo {KEY}"})
    call = desk.answered(said, used, piece=3, path="/v1/responses")
    call.request_headers = [("x-api-key", KEY)]

    desk.take(call)

    kept = desk.kept()
    body, masks = kept.body(kept.spans[0], "response")
    assert KEY not in body.decode()
    assert [mask.encoding for mask in masks].count("fragments") == 2
    assert KEY not in str(kept.spans)


@pytest.mark.parametrize("faults", [[], [Encode("gzip")]])
def test_a_key_that_the_model_spells_out_is_masked_everywhere(
    desk: Desk, faults: list[Encode]
) -> None:
    call = desk.answered(Say(f"Your key is {KEY}!"), piece=3, faults=faults)
    call.request_headers = [("X-Api-Key", KEY)]

    desk.take(call)

    kept = desk.kept()
    chat = kept.one()
    body, masks = kept.body(chat, "response")
    deltas = [json.loads(line[6:]).get("delta", {}) for line in body.splitlines() if b"{" in line]
    assert "".join(delta.get("text", "") for delta in deltas) == f"Your key is {MASKED.decode()}!"
    assert [mask.encoding for mask in masks] == ["fragments"]
    assert body[masks[0].offset :].startswith(MASKED)
    assert chat.attributes.get(semconv.BODY_KEPT_DECODED) == ("response" if faults else None)
    assert KEY not in str(chat)
    assert chat.attributes[semconv.REQUEST_HEADERS + ".dropped"] == ["X-Api-Key"]


@pytest.mark.parametrize("side", ["request", "response"])
def test_a_key_in_an_encoded_body_is_masked_in_the_decoded_one(desk: Desk, side: str) -> None:
    held = json.dumps({"model": "m", "messages": [{"role": "user", "content": KEY}]}).encode()
    bodies = {"request": b"{}", "response": b"{}", side: gzip.compress(held)}
    call = desk.exchange(bodies["request"], [bodies["response"]])
    encoding = [("content-encoding", "gzip")]
    call.request_headers = [("x-api-key", KEY), *(encoding if side == "request" else [])]
    call.response_headers = encoding if side == "response" else []

    desk.take(call)

    kept = desk.kept()
    body, masks = kept.body(kept.one(), side)
    assert body == held.replace(KEY.encode(), MASKED)
    assert [mask.offset for mask in masks] == [body.index(MASKED)]
    assert kept.one().attributes[semconv.BODY_KEPT_DECODED] == side


def test_a_key_in_an_encoded_body_that_is_cut_short_is_masked_too(desk: Desk) -> None:
    held = json.dumps({"messages": KEY, "more": list(range(3000))}).encode()
    call = desk.exchange(gzip.compress(held)[:-200], [])
    call.request_headers = [("x-api-key", KEY), ("content-encoding", "gzip")]

    desk.take(call)

    kept = desk.kept()
    body, masks = kept.body(kept.one(), "request")
    assert body[:40] == held.replace(KEY.encode(), MASKED)[:40]
    assert len(masks) == 1
    assert "cut short" in str(kept.one().attributes[semconv.CALL_PROBLEM])


def test_what_is_no_model_call_is_an_http_span_with_its_bytes(desk: Desk) -> None:
    call = desk.exchange(b"ping \xff", [b"po", b"ng"], path="/api/hello?beta=1&token=abcdefgh")

    desk.take(call)

    kept = desk.kept()
    span = kept.one()
    assert (span.name, state(span)) == ("POST /api/hello", ("complete", None))
    assert span.attributes[semconv.URL_QUERY] == "beta=1&token="
    assert kept.body(span, "request")[0] == b"ping \xff"
    assert kept.body(span, "response")[0] == b"pong"


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_tokens_of_a_token_response_are_masked_in_it_and_from_then_on(
    desk: Desk, encoding: str
) -> None:
    told = b'{"access_token":"made-up-token-1","expires_in":3600}'
    sent = gzip.compress(told) if encoding else told
    login = desk.exchange(b"", [sent], path="/v1/oauth/token")
    login.response_headers = [("content-encoding", encoding)] if encoding else []
    later = desk.exchange(b"made-up-token-1", [b"OK"], path="/v1/other")

    desk.take(login, later)

    kept = desk.kept()
    first, second = kept.spans
    masked = b"<SECRET:ACCESS_TOKEN>"
    assert kept.body(first, "response")[0] == told.replace(b"made-up-token-1", masked)
    assert kept.body(second, "request")[0] == masked


@pytest.mark.parametrize("body", [b"not JSON", b"[1]", b"", b'{"messages": 7}', b"\xff" * 9])
def test_a_malformed_request_is_kept_and_said_to_be_so(desk: Desk, body: bytes) -> None:
    call = desk.exchange(body, [b"{}"], status=400)

    desk.take(call)

    kept = desk.kept()
    assert kept.one().name == "chat"
    assert kept.body(kept.one(), "request")[0] == body
    assert state(kept.one()) == ("refused", "400")


def test_a_request_in_an_unknown_encoding_is_kept_as_it_is(desk: Desk) -> None:
    call = desk.exchange(b"\x01\x02 snappy", [b"{}"])
    call.request_headers = [("content-encoding", "snappy")]

    desk.take(call)

    kept = desk.kept()
    assert kept.body(kept.one(), "request")[0] == b"\x01\x02 snappy"
    assert "snappy" in str(kept.one().attributes[semconv.CALL_PROBLEM])


def test_a_malformed_stream_is_kept_and_read_as_far_as_it_goes(desk: Desk) -> None:
    nonsense = Insert(after=2, raw="data: {nonsense\n\nneither\n\n")
    call = desk.answered(Say("Hello"), faults=[nonsense])

    desk.take(call)

    kept = desk.kept()
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(kept.one(), "response")[0] == sent
    assert "not JSON" in str(kept.one().attributes[semconv.CALL_PROBLEM])
    assert "Hello" in str(kept.one().attributes[semconv.OUTPUT_MESSAGES])


def test_a_refused_call_says_why(desk: Desk) -> None:
    desk.take(desk.answered(Say(""), faults=[Status(529)]))

    chat = desk.kept().one()
    assert state(chat) == ("refused", "overloaded_error")
    assert (chat.status, chat.status_message) == (StatusCode.ERROR, "Overloaded")


def test_a_cut_answer_keeps_what_came(desk: Desk) -> None:
    call = desk.answered(Say("Hello there"), piece=4)
    del call.response_chunks[4:]
    call.error = "the server closed the connection"

    desk.take(call)

    kept = desk.kept()
    assert state(kept.one()) == ("cut", "stream_cut")
    assert kept.one().status_message == "the server closed the connection"
    came = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(kept.one(), "response")[0] == came
    assert '"content":"Hell' in str(kept.one().attributes[semconv.OUTPUT_MESSAGES])


def test_a_call_without_a_response_has_failed(desk: Desk) -> None:
    call = desk.exchange(b"{}", [], status=0, response_started=0, error="nobody is there")

    desk.take(call)

    chat = desk.kept().one()
    assert state(chat) == ("failed", "no_response")
    assert chat.status_message == "nobody is there"
    assert semconv.HTTP_STATUS not in chat.attributes


def test_a_look_puts_what_has_come_on_record(desk: Desk) -> None:
    call = desk.answered(Say("Hello there, you"), piece=4)
    rest, call.response_chunks = call.response_chunks[5:], call.response_chunks[:5]
    intake = Intake(call, desk.context)
    intake.begin()
    intake.look()
    desk.writer.flush()

    kept = desk.kept()  # as if the recorder had been killed here

    (pending,) = [record for record in kept.records if record.pending]
    assert pending.span.attributes[semconv.CALL_STATE] == "pending"
    assert kept.body(pending.span, "request")[0] == call.request_chunks[0].data
    came = b"".join(chunk.data for chunk in call.response_chunks)
    assert came.startswith(kept.body(pending.span, "response")[0])
    assert kept.body(pending.span, "response")[0] != b""
    assert rest != []


def test_looks_do_not_change_what_is_kept_in_the_end(desk: Desk) -> None:
    call = desk.answered(Say(f"Hello {KEY}, you"), piece=4, faults=[Encode("gzip")])
    call.request_headers = [("x-api-key", KEY)]
    sent, call.response_chunks = call.response_chunks, []
    intake = Intake(call, desk.context)
    intake.begin()
    for chunk in sent:
        call.response_chunks.append(chunk)
        intake.look()
    intake.end()

    kept = desk.kept()
    body, masks = kept.body(kept.one(), "response")
    assert len(masks) == 1
    assert KEY.encode() not in body
    assert state(kept.one()) == ("complete", None)
    said = json.loads(str(kept.one().attributes[semconv.OUTPUT_MESSAGES]))
    assert said[0]["parts"][0]["content"] == "Hello <SECRET:X_API_KEY>, you"


def test_a_call_that_is_forgotten_leaves_no_content(desk: Desk) -> None:
    call = desk.answered(Say("private words"))
    intake = Intake(call, desk.context)
    intake.begin()
    intake.forget()

    chat = desk.kept().one()
    assert state(chat) == ("unrecorded", None)
    assert "private words" not in str(chat)
    assert chat.end == call.ended


def test_a_call_that_broke_the_recorder_keeps_its_bytes(desk: Desk) -> None:
    call = desk.answered(Say(f"Hello {KEY}"), piece=3, faults=[Encode("gzip")])
    call.request_headers = [("x-api-key", KEY)]
    intake = Intake(call, desk.context)
    intake.begin()
    intake.distrust()
    intake.end()

    kept = desk.kept()
    chat = kept.one()
    body, _ = kept.body(chat, "response")
    assert b"message_stop" in body
    texts = [json.loads(line[6:]).get("delta", {}) for line in body.splitlines() if b"{" in line]
    assert "".join(delta.get("text", "") for delta in texts) == "Hello <SECRET:X_API_KEY>"
    assert "the recorder failed on this call" in str(chat.attributes[semconv.CALL_PROBLEM])


def test_a_request_that_broke_the_recorder_keeps_its_bytes(desk: Desk) -> None:
    call = desk.answered(Say("Hello"))
    intake = Intake(call, desk.context)
    intake.distrust()  # `begin` raised before it had stored anything
    intake.end()

    kept = desk.kept()
    assert kept.one().name == "POST /v1/messages"
    assert kept.body(kept.one(), "request")[0] == call.request_chunks[0].data


def test_the_bytes_of_another_upgrade_are_not_kept_since_none_can_be_masked(desk: Desk) -> None:
    desk.redactor.add("KEY", "fake-key-0123456789")
    call = desk.exchange(b"", [b"\x81\x13fake-key-0123456789"], status=101, path="/v1/tunnel")

    desk.take(call)

    kept = desk.kept()
    span = kept.one()
    assert "an upgraded connection" in str(span.attributes[semconv.CALL_PROBLEM])
    assert semconv.RESPONSE_BODY not in span.attributes
    assert b"fake-key" not in lines(kept.path)


def test_a_silent_call_is_put_on_record_once(desk: Desk) -> None:
    call = desk.exchange(b"{}", [])
    call.response_started = call.ended = 0
    intake = Intake(call, desk.context)
    intake.begin()

    for _ in range(5):
        intake.look()

    desk.writer.close()
    assert lines(desk.writer.path).count(b'"traceproofPending"') == 2


@pytest.mark.parametrize("secret", ["", KEY])
def test_a_request_encoded_as_codex_does_it_is_kept_as_sent_and_read(
    desk: Desk, secret: str
) -> None:
    said = {"role": "user", "content": f"Hello? {secret}"}
    asked = json.dumps({"model": "m-1", "stream": True, "input": [said]}).encode()
    sent = zstandard.ZstdCompressor().compress(asked)
    call = desk.answered(Say("Hello"), path="/backend-api/codex/responses", body=asked)
    call.request_chunks = [Chunk(10**9 + 1, sent)]
    call.request_headers = [("content-encoding", "zstd"), ("x-api-key", KEY)]

    desk.take(call)

    kept = desk.kept()
    chat = kept.one()
    masked = asked.replace(KEY.encode(), MASKED)
    assert kept.body(chat, "request")[0] == (masked if secret else sent)
    assert chat.attributes[semconv.REQUEST_ENCODING] == "zstd"
    assert chat.attributes.get(semconv.BODY_KEPT_DECODED) == ("request" if secret else None)
    assert "Hello? " in str(chat.attributes[semconv.INPUT_MESSAGES])
    assert chat.attributes[semconv.CALL_STATE] == "complete"


def test_a_compatible_host_s_provider_is_its_own(desk: Desk) -> None:
    call = desk.answered(Say("Hello"), path="/v1/chat/completions")
    call.host = "api.deepseek.com"

    desk.take(call)

    assert desk.kept().one().attributes[semconv.PROVIDER_NAME] == "deepseek"
