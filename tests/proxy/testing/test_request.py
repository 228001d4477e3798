from __future__ import annotations

from typing import Any

from traceproof.proxy.testing import Request
from traceproof.proxy.testing.request import Said, View

TALK = View(
    model="m",
    messages=[
        Said("user", "first"),
        Said("assistant", "mine", calls=("c1",)),
        Said("user", "more", results=("result",)),
    ],
    tools=("Bash",),
)


def request(view: View = TALK, target: str = "/v1/messages?beta=true", **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", target, pairs, b"", view)


def test_the_path_has_no_query_and_no_host() -> None:
    assert request().path == "/v1/messages"
    assert request(target="http://api.example/v1/messages?x=1").path == "/v1/messages"
    assert request(target="*").path == "*"


def test_headers_are_found_by_lower_case() -> None:
    assert request(X_Api_Key="k").header("x-api-key") == "k"
    assert request().header("x-api-key") is None


def test_texts_of_the_conversation() -> None:
    assert request().user == "first"
    assert request().last == "result\nmore"
    assert request().text == "first\nresult\nmore"
    assert request().assistants == 1
    assert request(View()).last == request(View()).user == ""


def test_a_side_call_has_no_tools_or_wants_json() -> None:
    assert not request().side_call
    assert request(View()).side_call
    assert request(View(tools=("Bash",), schema=True)).side_call


def test_conversations_are_told_apart_by_headers_or_by_what_was_asked() -> None:
    session: Any = {"x_claude_code_session_id": "s"}
    main, agent = request(**session), request(**session, x_claude_code_agent_id="a")

    assert main.conversation == request(View(), **session).conversation
    assert main.conversation != agent.conversation
    assert request().conversation == request().conversation
    assert request().conversation != request(View(messages=[Said("user", "other")])).conversation
