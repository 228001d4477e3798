from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
import zstandard

from support.frames import DEFLATE, Tape, called, deltas, said, user
from traceproof.proxy.capture import Capture
from traceproof.proxy.consents import GOING_ON
from traceproof.proxy.exchange import Exchange
from traceproof.proxy.intakes import new_intake
from traceproof.proxy.testing import Say
from traceproof.recorder import semconv
from traceproof.recorder.chunks import decode_chunks
from traceproof.recorder.reader import Record
from traceproof.recorder.span import Span, SpanKind

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk, Kept

KEY = "sk-fake-key-0123456789abc"


def take(desk: Desk, *exchanges: Exchange) -> None:
    for exchange in exchanges:
        intake = new_intake(exchange, desk.context)
        intake.begin()
        intake.look()
        intake.end()


def upgrade(kept: Kept) -> Span:
    (span,) = [span for span in kept.spans if span.name.startswith("GET ")]
    return span


def calls(kept: Kept) -> list[Span]:
    return [span for span in kept.spans if span.name.startswith("chat")]


def parts(span: Span, name: str = semconv.INPUT_MESSAGES) -> list[Any]:
    """Return what is said in a list of messages: each part's text, or the name of its tool."""
    return [
        part.get("content") or part.get("name") or part.get("response") or part["type"]
        for message in json.loads(str(span.attributes[name]))
        for part in message["parts"]
    ]


def problem(span: Span) -> str:
    return str(span.attributes.get(semconv.CALL_PROBLEM, ""))


def plain(kept: Kept) -> bytes:
    with kept.path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()


@pytest.mark.parametrize("deflate", ["", DEFLATE, f"{DEFLATE}; server_no_context_takeover"])
@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses?x=1"])
def test_each_message_that_asks_is_a_chat_span_with_its_bytes(
    desk: Desk, deflate: str, path: str
) -> None:
    tape = Tape(deflate=deflate, path=path)
    asked = tape.send(input=[user("Hello?")], instructions="Be brief.", store=False)
    tape.answer("resp_1", said("Hello ✓"))

    take(desk, tape.end())

    kept = desk.kept()
    (call,) = calls(kept)
    assert (call.name, call.kind, call.attributes[semconv.CALL_STATE]) == (
        "chat m-1",
        SpanKind.CLIENT,
        "complete",
    )
    assert kept.body(call, "request") == (asked, [])
    assert kept.body(call, "response") == (b"".join(tape.told), [])
    arrivals = decode_chunks(call.start, str(call.attributes[semconv.RESPONSE_CHUNKS]))
    assert [arrival.size for arrival in arrivals] == [len(told) for told in tape.told]
    assert call.start == 10**9 + 10**6
    assert call.end == arrivals[-1].time
    assert call.attributes[semconv.TIME_TO_FIRST_CHUNK] == 0.001
    assert call.attributes[semconv.INPUT_TOKENS] == 7
    assert call.attributes[semconv.RESPONSE_ID] == "resp_1"
    assert call.attributes[semconv.TRANSPORT] == "websocket"
    assert parts(call) == ["Hello?"]
    assert parts(call, semconv.OUTPUT_MESSAGES) == ["Hello ✓"]
    assert problem(call) == ""


def test_the_upgrade_is_an_http_span_that_its_calls_lead_to(desk: Desk) -> None:
    tape = Tape()
    for number in range(2):
        tape.send(input="Hello?")
        tape.answer(f"resp_{number}", said("Hello"))
    tape.asks(tape.client.close(1000, "bye"))

    take(desk, tape.end())

    kept = desk.kept()
    opened = upgrade(kept)
    assert opened.name == "GET /v1/responses"
    assert opened.attributes[semconv.HTTP_STATUS] == 101
    assert opened.attributes[semconv.CALL_STATE] == "complete"
    assert opened.attributes[semconv.TRANSPORT] == "websocket"
    closed = "the client closed the web socket: 1000 bye"
    assert opened.attributes[semconv.WEBSOCKET_CLOSED] == closed
    assert "upgrade" in str(opened.attributes[semconv.REQUEST_HEADERS])
    links = [(link.span_id, link.attributes) for call in calls(kept) for link in call.links]
    assert links == [(opened.span_id, {semconv.LINK_TYPE: "sent_over"})] * 2
    assert kept.body(opened, "request") == (b"", [])


def test_a_call_that_goes_on_from_another_shows_the_whole_conversation(desk: Desk) -> None:
    tape = Tape()
    tape.send(input=[user("List the files.")])
    tape.answer("resp_1", called("c1", "shell", '{"command":"ls"}'))
    output = {"type": "function_call_output", "call_id": "c1", "output": "hello.py"}
    increment = tape.send(input=[output], previous_response_id="resp_1")
    tape.answer("resp_2", said("One file."))
    tape.send(input=[user("Thanks.")], previous_response_id="resp_2")
    tape.answer("resp_3", said("Bye."))

    take(desk, tape.end())

    kept = desk.kept()
    first, second, third = calls(kept)
    assert parts(first) == ["List the files."]
    assert parts(second) == ["List the files.", "shell", "hello.py"]
    assert parts(third) == ["List the files.", "shell", "hello.py", "One file.", "Thanks."]
    assert kept.body(second, "request")[0] == increment
    messages = json.loads(str(third.attributes[semconv.INPUT_MESSAGES]))
    assert [message["role"] for message in messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert [problem(call) for call in calls(kept)] == ["", "", ""]
    (tool,) = [span for span in kept.spans if span.name == "execute_tool shell"]
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == "hello.py"
    assert tool.attributes[semconv.TOOL_STATE] == "answered"
    assert (tool.start, tool.end) == (first.end, second.start)
    prompts = [event.attributes["content"] for event in desk.session.root.events]
    assert prompts == ["List the files.", "Thanks."]


def test_a_conversation_goes_on_over_another_socket(desk: Desk) -> None:
    first, second = Tape(), Tape(started=2 * 10**9)
    first.send(input=[user("Hello?")])
    first.answer("resp_1", said("Hello."))
    second.send(input=[user("Go on.")], previous_response_id="resp_1")
    second.answer("resp_2", said("Yes."))

    take(desk, first.end(), second.end())

    assert parts(calls(desk.kept())[1]) == ["Hello?", "Hello.", "Go on."]


def test_an_increment_to_what_is_not_known_says_so(desk: Desk) -> None:
    tape = Tape()
    tape.send(input=[user("Go on.")], previous_response_id="resp_0")
    tape.answer("resp_1", said("Yes."))
    tape.send(input=[user("And on.")], previous_response_id="resp_1")
    tape.answer("resp_2", said("No."))

    take(desk, tape.end())

    first, second = calls(desk.kept())
    assert parts(first) == ["Go on."]
    assert parts(second) == ["Go on.", "Yes.", "And on."]
    for call in (first, second):
        assert "goes on from a response that is not known here" in problem(call)


def test_a_warm_up_is_a_side_call_that_a_turn_goes_on_from(desk: Desk) -> None:
    tape = Tape()
    tape.send(input=[user("Fix it.")], generate=False)
    tape.answer("resp_0")
    tape.send(input=[], previous_response_id="resp_0")
    tape.answer("resp_1", said("Done."))

    take(desk, tape.end())

    warm_up, turn = calls(desk.kept())
    assert warm_up.attributes[semconv.CALL_PURPOSE] == "warm_up"
    assert turn.attributes[semconv.CALL_PURPOSE] == "main"
    assert parts(turn) == ["Fix it."]
    assert problem(turn) == ""
    assert [event.attributes["content"] for event in desk.session.root.events] == ["Fix it."]


def test_tools_that_come_as_an_item_of_the_input_are_definitions(desk: Desk) -> None:
    tools = {
        "type": "additional_tools",
        "tools": [
            {"type": "namespace", "name": "functions", "tools": [{"name": "exec"}]},
            {"type": "function", "name": "wait", "parameters": {}},
        ],
    }
    tape = Tape()
    tape.send(input=[tools, user("Hello?")], tools=[{"type": "custom", "name": "plan"}])
    tape.answer("resp_1", said("Hello."))
    tape.send(input=[user("Go on.")], previous_response_id="resp_1")
    tape.answer("resp_2", said("Yes."))

    take(desk, tape.end())

    defined = [
        [tool["name"] for tool in json.loads(str(call.attributes[semconv.TOOL_DEFINITIONS]))]
        for call in calls(desk.kept())
    ]
    assert defined == [["plan", "functions", "wait"], ["functions", "wait"]]


def test_a_socket_that_ends_cuts_the_call_on_it(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.begin("resp_1")
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    tape.tell({"type": "response.output_item.added", "output_index": 0, "item": item})
    tape.tell(*deltas("Hello there", 5))

    take(desk, tape.end("the server closed the connection"))

    kept = desk.kept()
    (call,) = calls(kept)
    assert call.attributes[semconv.CALL_STATE] == "cut"
    assert call.attributes[semconv.ERROR_TYPE] == "stream_cut"
    assert call.status_message == "the server closed the connection"
    assert parts(call, semconv.OUTPUT_MESSAGES) == ["Hello there"]
    assert kept.body(call, "response")[0] == b"".join(tape.told)
    assert upgrade(kept).attributes[semconv.CALL_STATE] == "cut"


def test_a_message_that_is_cut_short_is_kept_as_far_as_it_came(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.begin("resp_1")
    tape.says(tape.server.message('{"type":"response.output_text.delta","delta":"He"}')[:-9])

    take(desk, tape.end())

    kept = desk.kept()
    (call,) = calls(kept)
    assert call.status_message == "the web socket ended before the answer was whole"
    assert kept.body(call, "response")[0].endswith(b'"response.output_text.delta","del')
    assert problem(call) == "the stream ends inside a message"
    assert "the server: the connection ended inside a message" in problem(upgrade(kept))


def test_a_call_nobody_answered_has_failed(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.says(tape.server.close(1008, "no"))

    take(desk, tape.end())

    (call,) = calls(desk.kept())
    assert call.attributes[semconv.CALL_STATE] == "failed"
    assert call.status_message == "the server closed the web socket: 1008 no"


@pytest.mark.parametrize(
    ("status", "begun", "state"), [(429, False, "refused"), (429, True, "cut"), (0, False, "cut")]
)
def test_an_error_event_ends_the_call(desk: Desk, status: int, state: str, *, begun: bool) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    if begun:
        tape.begin("resp_1")
    error = {"type": "usage_limit_reached", "message": "Enough."}
    tape.tell({"type": "error", "error": error, **({"status": status} if status else {})})
    tape.send(input="Hello?")
    tape.answer("resp_2", said("Hello."))

    take(desk, tape.end())

    failed, retried = calls(desk.kept())
    assert failed.attributes[semconv.CALL_STATE] == state
    assert failed.attributes[semconv.ERROR_TYPE] == "usage_limit_reached"
    assert failed.status_message == "Enough."
    assert failed.attributes.get(semconv.HTTP_STATUS) == (429 if state == "refused" else None)
    links = [link.attributes[semconv.LINK_TYPE] for link in retried.links]
    assert links == ["retry_of", "sent_over"]


@pytest.mark.parametrize("kind", ["failed", "incomplete"])
def test_a_response_may_end_otherwise(desk: Desk, kind: str) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    error = {"code": "server_error", "message": "Oh"}
    response: dict[str, Any] = {"id": "resp_1", "status": kind, "error": error}
    if kind == "incomplete":
        response |= {"incomplete_details": {"reason": "max_output_tokens"}, "error": None}
    tape.tell({"type": f"response.{kind}", "response": response})

    take(desk, tape.end())

    (call,) = calls(desk.kept())
    expected = ["length"] if kind == "incomplete" else ["error"]
    assert call.attributes[semconv.FINISH_REASONS] == expected
    assert call.end < tape.exchange.ended


def test_messages_of_no_call_are_kept_with_the_upgrade(desk: Desk) -> None:
    tape = Tape()
    tape.asks(tape.client.message('{"type":"response.processed","response_id":"resp_0"}'))
    tape.asks(tape.client.message("not JSON"))
    tape.says(tape.server.message('{"type":"codex.rate_limits"}'))
    tape.send(input="Hello?")
    tape.answer("resp_1", said("Hello."))

    take(desk, tape.end())

    kept = desk.kept()
    opened = upgrade(kept)
    processed = b'{"type":"response.processed","response_id":"resp_0"}'
    assert kept.body(opened, "request") == (processed + b"not JSON", [])
    assert kept.body(opened, "response") == (b'{"type":"codex.rate_limits"}', [])
    sizes = [
        [arrival.size for arrival in decode_chunks(opened.start, str(opened.attributes[name]))]
        for name in (semconv.REQUEST_CHUNKS, semconv.RESPONSE_CHUNKS)
    ]
    assert sizes == [[len(processed), 8], [28]]
    assert len(calls(kept)) == 1


def test_the_messages_of_an_unknown_socket_are_kept(desk: Desk) -> None:
    headers = [("x-api-key", KEY), ("Upgrade", "WebSocket")]
    tape = Tape(path="/v1/realtime", deflate=DEFLATE, request_headers=headers)
    tape.asks(tape.client.message(b"\x00\xff binary"))
    tape.tell(*({"delta": KEY[at : at + 4]} for at in range(0, len(KEY), 4)))

    take(desk, tape.end())

    kept = desk.kept()
    assert calls(kept) == []
    opened = upgrade(kept)
    assert kept.body(opened, "request") == (b"\x00\xff binary", [])
    body, masks = kept.body(opened, "response")
    assert body.startswith(b'{"delta": "<SECRET:X_API_KEY>"}{"delta": ""}')
    assert [mask.encoding for mask in masks] == ["fragments"]


def test_a_key_that_is_spelt_out_over_messages_is_masked(desk: Desk) -> None:
    headers = [("Authorization", f"Bearer {KEY}"), ("upgrade", "websocket")]
    tape = Tape(request_headers=headers, deflate=DEFLATE)
    sent = tape.send(input=[user(f"My key is {KEY}.")])
    tape.begin("resp_1")
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    tape.tell({"type": "response.output_item.added", "output_index": 0, "item": item})
    tape.tell(*deltas(f"Your key is {KEY}!", 3))
    tape.complete("resp_1")

    take(desk, tape.end())

    kept = desk.kept()
    (call,) = calls(kept)
    body, masks = kept.body(call, "request")
    assert body == sent.replace(KEY.encode(), b"<SECRET:AUTHORIZATION>")
    assert [mask.offset for mask in masks] == [sent.index(KEY.encode())]
    body, masks = kept.body(call, "response")
    assert [mask.encoding for mask in masks] == ["fragments"]
    assert body[masks[0].offset :].startswith(b"<SECRET:AUTHORIZATION>")
    assert parts(call, semconv.OUTPUT_MESSAGES) == ["Your key is <SECRET:AUTHORIZATION>!"]
    assert KEY.encode() not in plain(kept)


def test_a_look_writes_what_is_complete_and_what_has_come_of_the_rest(desk: Desk) -> None:
    tape = Tape()
    intake = new_intake(tape.exchange, desk.context)
    intake.begin()
    tape.send(input=[user("One")])
    tape.answer("resp_1", said("1"))
    tape.send(input=[user("Two")])
    tape.begin("resp_2")
    intake.look()
    intake.look()

    kept = desk.kept()  # as if the recorder had been killed here

    records = {record.span.name: record for record in kept.records if record.span.parent_id}
    ended = [record.span for record in _calls(kept.records) if not record.pending]
    pending = [record.span for record in _calls(kept.records) if record.pending]
    assert [parts(span) for span in (*ended, *pending)] == [["One"], ["Two"]]
    assert kept.body(ended[0], "response")[0] == b"".join(tape.told[:3])
    assert kept.body(pending[0], "request")[0] == tape.sent[1]
    assert kept.body(pending[0], "response")[0] == tape.told[3]
    assert records["GET /v1/responses"].pending


def _calls(records: list[Record]) -> list[Record]:
    return [record for record in records if record.span.name.startswith("chat")]


def test_looks_at_every_chunk_change_nothing(desk: Desk) -> None:
    tape = Tape(deflate=DEFLATE)
    asked = tape.send(input=[user("Hello?")])
    tape.answer("resp_1", said("Hello"), called("c1", "shell", "{}"))
    sent = tape.exchange.request_chunks, tape.exchange.response_chunks
    tape.exchange.request_chunks, tape.exchange.response_chunks = [], []
    intake = new_intake(tape.exchange, desk.context)
    intake.begin()
    for chunks, into in zip(
        sent, (tape.exchange.request_chunks, tape.exchange.response_chunks), strict=True
    ):
        for time, data in chunks:
            for at in range(0, len(data), 9):
                into.append(type(chunks[0])(time, data[at : at + 9]))
                intake.look()
    tape.end()
    intake.end()

    kept = desk.kept()
    (call,) = calls(kept)
    assert kept.body(call, "request")[0] == asked
    assert kept.body(call, "response")[0] == b"".join(tape.told)
    assert parts(call, semconv.OUTPUT_MESSAGES) == ["Hello", "shell"]


def test_an_http_call_that_goes_on_from_one_over_a_socket_finds_its_tools(desk: Desk) -> None:
    tape = Tape()
    socket = new_intake(tape.exchange, desk.context)
    socket.begin()
    tape.send(input=[user("List the files.")])
    tape.answer("resp_1", called("c1", "shell", "{}"))
    output = {"type": "function_call_output", "call_id": "c1", "output": "hello.py"}
    items = [user("List the files."), called("c1", "shell", "{}"), output]
    body = json.dumps({"model": "m-1", "stream": True, "input": items}).encode()
    posted = desk.answered(Say("One."), path="/v1/responses", body=body)

    take(desk, posted)  # nobody has looked at the socket since
    tape.end()
    socket.end()

    (tool,) = [span for span in desk.kept().spans if span.name == "execute_tool shell"]
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == "hello.py"


def test_an_upgrade_that_is_refused_is_an_http_span_with_its_bytes(desk: Desk) -> None:
    tape = Tape(status=426)
    tape.says(b'{"error": "no web sockets"}')

    take(desk, tape.end())

    kept = desk.kept()
    span = kept.one()
    assert span.attributes[semconv.CALL_STATE] == "refused"
    assert semconv.TRANSPORT not in span.attributes
    assert kept.body(span, "response") == (b'{"error": "no web sockets"}', [])


def test_a_socket_nobody_answered_has_failed(desk: Desk) -> None:
    take(desk, Tape(status=0, response_started=0).end("nobody is there"))

    assert desk.kept().one().attributes[semconv.CALL_STATE] == "failed"


def test_broken_frames_end_the_reading_and_keep_what_was_read(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.answer("resp_1", said("Hello."))
    tape.says(b"\xff\xff\xff")
    tape.send(input="More?")

    take(desk, tape.end())

    kept = desk.kept()
    first, second = calls(kept)
    assert first.attributes[semconv.CALL_STATE] == "complete"
    assert second.attributes[semconv.CALL_STATE] == "failed"
    assert "the server: the frames are broken" in problem(upgrade(kept))


def test_a_socket_that_broke_the_recorder_keeps_what_was_read(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.begin("resp_1")
    intake = new_intake(tape.exchange, desk.context)
    intake.begin()
    intake.look()
    intake.distrust()
    tape.complete("resp_1")
    tape.end()
    intake.end()

    kept = desk.kept()
    (call,) = calls(kept)
    assert call.attributes[semconv.CALL_STATE] == "cut"
    assert kept.body(call, "response")[0] == tape.told[0]
    assert "what passed on it after that is not kept" in problem(upgrade(kept))


def test_what_is_said_in_a_pause_is_not_kept_and_what_comes_later_is(desk: Desk) -> None:
    tape = Tape()

    def consents(start: int, end: int) -> bool:
        return end < paused or start > resumed

    intake = new_intake(tape.exchange, desk.context, consents)
    intake.begin()
    tape.send(input=[user("before")])
    tape.answer("resp_1", said("one"))
    paused = tape.tick()
    tape.send(input=[user("private words")])
    tape.answer("resp_2", said("private answer"))
    resumed = tape.tick()
    tape.send(input=[user("after")], previous_response_id="resp_2")
    tape.answer("resp_3", said("three"))

    intake.look()
    tape.end()
    intake.end()

    kept = desk.kept()
    first, last = calls(kept)
    assert [parts(first), parts(last)] == [["before"], ["after"]]
    assert "not known here" in problem(last)
    assert b"private" not in plain(kept)


def test_a_call_that_a_pause_falls_upon_is_not_kept(desk: Desk) -> None:
    tape = Tape()
    paused = GOING_ON + 1
    intake = new_intake(tape.exchange, desk.context, lambda _start, end: end < paused)
    intake.begin()
    tape.send(input=[user("before")])
    intake.look()
    paused = tape.tick()
    tape.answer("resp_1", said("private answer"))
    tape.says(tape.server.close(1008, "private reason"))
    tape.end()
    intake.end()

    kept = desk.kept()
    (call,) = calls(kept)
    assert call.attributes[semconv.CALL_STATE] == "unrecorded"
    assert semconv.OUTPUT_MESSAGES not in call.attributes
    assert semconv.WEBSOCKET_CLOSED not in upgrade(kept).attributes
    assert b"private" not in plain(kept)


def test_what_another_exchange_makes_a_socket_read_is_asked_for_too(desk: Desk) -> None:
    tape = Tape()
    socket = new_intake(tape.exchange, desk.context, lambda _start, _end: False)
    socket.begin()
    tape.send(input=[user("private words")])
    tape.begin("resp_1")
    other = Tape()

    take(desk, other.end())  # nobody has looked at the first socket yet
    tape.end()
    socket.end()

    assert b"private" not in plain(desk.kept())


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/realtime"])
def test_tokens_in_messages_of_no_call_are_masked(desk: Desk, path: str) -> None:
    tape = Tape(path=path)
    tape.asks(tape.client.message(json.dumps({"session": {"access_token": KEY}})))
    tape.tell({"type": "session.created", "client_secret": {"value": f"ek_{KEY[::-1]}"}})

    take(desk, tape.end())

    kept = desk.kept()
    assert kept.body(upgrade(kept), "request")[0] == (
        b'{"session": {"access_token": "<SECRET:ACCESS_TOKEN>"}}'
    )
    assert not [word for word in (KEY, KEY[::-1]) if word.encode() in plain(kept)]


def test_credentials_among_the_headers_in_messages_are_masked(desk: Desk) -> None:
    tape = Tape()
    cookie = "AbCdEf0123456789xyzQQ"
    tape.send(input="Hello?", client_metadata={"ws_request_header_x_api_key": KEY, "a": "b"})
    headers = {"set-cookie": f"login={cookie}; path=/", "x-number": 1}
    tape.tell({"type": "error", "status": 401, "error": {"message": "No."}, "headers": headers})

    take(desk, tape.end())

    kept = desk.kept()
    (call,) = calls(kept)
    assert b'"ws_request_header_x_api_key": "<SECRET:X_API_KEY>"' in kept.body(call, "request")[0]
    assert b"; path=/" in kept.body(call, "response")[0]
    assert not [word for word in (KEY, cookie) if word.encode() in plain(kept)]


def test_what_the_recorder_failed_on_is_told(desk: Desk) -> None:
    tape = Tape()
    tape.send(input="Hello?")
    tape.answer("resp_1", said("Hello."))
    faults: list[Exception] = []
    intake = new_intake(tape.exchange, desk.context, faulted=faults.append)
    desk.context.readers["openai.responses"] = cast("Any", None)
    intake.begin()

    intake.look()
    tape.end()
    intake.end()

    assert [type(fault) for fault in faults] == [AttributeError]
    spans = desk.kept().spans
    assert len([span for span in spans if "failed on this call" in problem(span)]) == 1


def test_a_socket_that_is_read_no_more_does_not_fill_the_memory(desk: Desk) -> None:
    tape = Tape()
    intake = new_intake(tape.exchange, desk.context)
    intake.begin()
    intake.distrust()

    for _ in range(3):
        tape.send(input="Hello?")
        tape.answer("resp_1", said("Hello."))
        intake.look()
        assert (tape.exchange.request_chunks, tape.exchange.response_chunks) == ([], [])

    tape.end()
    intake.end()
    assert calls(desk.kept()) == []


def test_a_request_header_in_the_metadata_is_one(desk: Desk) -> None:
    trace, span = "ab" * 16, "cd" * 8
    tape = Tape()
    metadata = {"ws_request_header_traceparent": f"00-{trace}-{span}-01", "other": 1}
    tape.send(input="Hello?", client_metadata=metadata)
    tape.answer("resp_1", said("Hello."))

    take(desk, tape.end())

    (call,) = calls(desk.kept())
    assert (trace, span) in [(link.trace_id, link.span_id) for link in call.links]


def test_a_socket_that_is_opened_in_a_pause_is_recorded_after_it(desk: Desk) -> None:
    tape = Tape(request_headers=[("upgrade", "websocket"), ("x-private", "words")])
    tape.send(input=[user("private words")])
    tape.answer("resp_1", said("private answer"))
    resumed = tape.tick()
    tape.send(input=[user("after")])
    tape.answer("resp_2", said("one"))
    capture = Capture(desk.context, consents=lambda start, _end: start > resumed)

    capture.request_started(tape.exchange)
    capture.request_ended(tape.exchange)
    capture.ended(tape.end())
    capture.close()

    kept = desk.kept()
    (call,) = calls(kept)
    assert parts(call) == ["after"]
    (opened,) = [span for span in kept.spans if span is not call]
    assert opened.attributes[semconv.CALL_STATE] == "unrecorded"
    assert [link.span_id for link in call.links] == [opened.span_id]
    assert b"private" not in plain(kept)
