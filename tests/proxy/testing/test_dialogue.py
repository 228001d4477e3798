from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.testing import Match, Say, Scene, Script, Status, Turn, Use
from traceproof.proxy.testing.dialogue import Dialogue
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.model import Exchanged, Model

HEAD = Head("GET", "/v1/responses?x=1", "HTTP/1.1", [("Session-Id", "s1")])
FIRST = {"role": "user", "content": "Do it."}
TURNS = [Turn([Say("I will."), Use("ls", {"path": "."})]), Turn([Say("Done.")])]


def begin(script: Script | None = None) -> Dialogue:
    return Dialogue(Model(script or Script.of(TURNS)), HEAD)


def create(dialogue: Dialogue, items: Any, **more: Any) -> Exchanged:
    message = {"type": "response.create", "model": "gpt-x", "input": items, **more}
    return dialogue.exchange(json.dumps(message).encode())


def last(exchanged: Exchanged) -> Any:
    return json.loads(exchanged.answer.chunks[-1])


def result(call_id: str) -> dict[str, str]:
    return {"type": "function_call_output", "call_id": call_id, "output": "listing"}


def test_each_message_continues_the_conversation() -> None:
    dialogue = begin()
    one = create(dialogue, [FIRST])
    response = last(one)["response"]
    call = response["output"][1]["call_id"]

    two = create(dialogue, [result(call)], previous_response_id=response["id"])

    assert (one.cue and one.cue.step, two.cue and two.cue.step) == (0, 1)
    assert (one.wire, two.wire) == ("openai-responses-websocket",) * 2
    assert [said.role for said in two.request.view.messages] == ["user", "assistant", "tool"]
    assert two.request.user == "Do it."
    assert two.request.view.messages[-1].results == ("listing",)
    assert json.loads(two.request.body)["input"] == [result(call)]
    assert two.request.target == "/v1/responses?x=1"
    assert two.request.header("session-id") == "s1"


def test_a_scene_is_found_by_what_was_said_before() -> None:
    scene = Scene(TURNS, when=Match(user="Do it", tool="ls"), name="main")
    dialogue = begin(Script([scene]))
    tools = [{"type": "function", "name": "ls"}]
    response = last(create(dialogue, [FIRST], tools=tools))["response"]

    again = create(
        dialogue,
        [result(response["output"][1]["call_id"])],
        tools=tools,
        previous_response_id=response["id"],
    )

    assert again.cue
    assert (again.cue.name, again.cue.step) == ("main", 1)


def test_a_warm_up_uses_up_no_turn_and_can_be_continued() -> None:
    dialogue = begin(Script.of([Turn([Say("hi")], faults=[Status(500, times=1)])]))

    warm = create(dialogue, [{"role": "developer", "content": "Be good."}], generate=False)
    assert (warm.cue, last(warm)["type"]) == (None, "response.completed")
    refused = create(dialogue, [FIRST], previous_response_id=last(warm)["response"]["id"])

    assert refused.cue
    assert refused.cue.attempt == 0
    assert refused.request.system == "Be good."
    assert last(refused)["status"] == 500


def test_a_response_that_nobody_knows_cannot_be_continued() -> None:
    told = last(create(begin(), [FIRST], previous_response_id="resp_of_another"))

    assert (told["type"], told["status"]) == ("error", 400)
    assert told["error"]["code"] == "previous_response_not_found"


def test_an_input_may_be_a_text() -> None:
    assert create(begin(), "Do it.").request.user == "Do it."


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"type":"response.create"}', b"\xff"])
def test_a_malformed_message_is_told_so(payload: bytes) -> None:
    exchanged = begin().exchange(payload)

    assert last(exchanged)["status"] == 400
    assert exchanged.request.body == payload


def test_what_asks_for_no_response_gets_none() -> None:
    exchanged = begin().exchange(b'{"type":"response.processed","response_id":"r"}')

    assert (exchanged.answer.chunks, exchanged.wire) == ([], "")
