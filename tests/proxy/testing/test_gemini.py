from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from traceproof.proxy.testing import (
    Cite,
    Cut,
    ErrorEvent,
    Insert,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Turn,
    Usage,
    Use,
)
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.gemini import Gemini
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.perform import JSON_TYPE, STREAM_TYPE, perform
from traceproof.proxy.testing.request import Said
from traceproof.proxy.testing.wire import Reply

WIRE = Gemini()
TWO_CALLS = (Use("ls", {"path": "a"}), Use("cat", {"path": "b"}, "c9"))
STREAM = "/v1beta/models/gemini-x:streamGenerateContent"


def reply(*parts: AnyPart, array: bool = False, **more: Any) -> Reply:
    return Reply(Turn(list(parts), **more), 1, 0, "talk", "gemini-x", array=array)


def sent(reply: Reply) -> list[Any]:
    chunks = []
    for event in WIRE.events(reply):
        assert event.endswith(b"\r\n\r\n")
        chunks.append(json.loads(event.removeprefix(b"data: ")))
    return chunks


def parts(chunks: list[Any]) -> list[Any]:
    return [
        part
        for chunk in chunks
        for part in chunk["candidates"][0].get("content", {"parts": []})["parts"]
    ]


def test_text_streams_as_partial_answers() -> None:
    chunks = sent(reply(Say("naïve ✓"), piece=4, usage=Usage(7, 3, 5, 2, 1)))

    assert parts(chunks) == [{"text": "naïv"}, {"text": "e ✓"}, {"text": ""}]
    assert "finishReason" not in chunks[1]["candidates"][0]
    assert chunks[2]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[2]["usageMetadata"] == {
        "promptTokenCount": 14,
        "candidatesTokenCount": 3,
        "totalTokenCount": 18,
        "cachedContentTokenCount": 5,
        "thoughtsTokenCount": 1,
    }
    assert {chunk["modelVersion"] for chunk in chunks} == {"gemini-x"}


def test_a_stream_may_be_one_array() -> None:
    said = reply(Say("naïve ✓"), piece=4)
    body = b"".join(WIRE.events(said._replace(array=True)))

    assert json.loads(body) == sent(said)
    assert perform(WIRE, said, (), stream=True).headers[0] == STREAM_TYPE
    assert perform(WIRE, said._replace(array=True), (), stream=True).headers[0] == JSON_TYPE


def test_calls_have_a_signature_that_tells_their_turn_and_no_id_of_their_own() -> None:
    ls, cat, _ = parts(sent(reply(*TWO_CALLS)))

    assert ls["functionCall"] == {"name": "ls", "args": {"path": "a"}}
    assert cat["functionCall"]["id"] == "c9"
    assert b64decode(ls["thoughtSignature"]).startswith(b"s1t0p0")


def test_thoughts_citations_refusals_and_code() -> None:
    cited = Cite("It is.", "https://example.org", "E", "")
    code = ServerTool("code_execution", {"a": 1}, "out")
    chunks = sent(reply(Think("hm", "sig"), Redacted("x"), code, cited, Refuse("No.")))

    assert parts(chunks) == [
        {"text": "hm", "thought": True, "thoughtSignature": "sig"},
        {"executableCode": {"language": "PYTHON", "code": '{"a":1}'}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": '"out"'}},
        {"text": "It is."},
        {"text": "No."},
        {"text": ""},
    ]
    (where,) = chunks[4]["candidates"][0]["citationMetadata"]["citations"]
    assert where["uri"] == "https://example.org"
    assert chunks[-1]["candidates"][0]["finishReason"] == "SAFETY"


def test_the_whole_answer_says_what_the_stream_says() -> None:
    said = reply(Say("so"), Say(" it is"), *TWO_CALLS, Say("."), stop="MAX_TOKENS")
    whole, chunks = json.loads(WIRE.whole(said)), sent(said)

    assert [part for part in parts([whole]) if "functionCall" in part] == parts(chunks)[2:4]
    assert [part["text"] for part in parts([whole]) if "text" in part] == ["so it is", "."]
    assert whole["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert whole["usageMetadata"] == chunks[-1]["usageMetadata"]


def test_errors_have_the_shape_of_the_api() -> None:
    error = {"code": 429, "message": "Wait.", "status": "RESOURCE_EXHAUSTED"}

    assert WIRE.error(429, None, "Wait.") == {"error": error}


@pytest.mark.parametrize("array", [True, False])
def test_faults_keep_the_form_of_the_stream(array: bool) -> None:
    def played(*faults: Fault) -> list[bytes]:
        return list(perform(WIRE, reply(Say("so"), array=array), faults, stream=True).chunks)

    *_, error = played(ErrorEvent(after=1))
    assert json.loads(error.removeprefix(b"data: ").lstrip(b",\r\n"))["error"]["code"] == 503
    assert error.startswith(b"," if array else b"data: ")
    assert played(Insert(after=1, event={"a": 1}))[1] == (
        b',\r\n{"a":1}' if array else b'data: {"a":1}\r\n\r\n'
    )
    assert len(played(Cut(events=1))) == 1


def test_a_request_is_seen_with_its_calls_and_results() -> None:
    ls, cat, _ = parts(sent(reply(*TWO_CALLS)))
    view = WIRE.view(
        {
            "systemInstruction": {"parts": [{"text": "be good"}]},
            "generationConfig": {"responseMimeType": "application/json"},
            "tools": [{"functionDeclarations": [{"name": "ls"}]}, {"googleSearch": {}}],
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": "model", "parts": [{"text": "hm", "thought": True}, ls, cat]},
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "ls", "response": {"output": "out"}}},
                        {"functionResponse": {"name": "cat", "response": {"a": 1}}},
                    ],
                },
            ],
        },
        f"{STREAM}?alt=sse",
    )

    assert (view.model, view.stream, view.array) == ("gemini-x", True, False)
    assert (view.system, view.schema, view.tools) == ("be good", True, ("ls", "googleSearch"))
    assert [said.role for said in view.messages] == ["user", "assistant", "tool"]
    assert view.messages[1].calls[0].startswith("s1t0p0")
    assert view.messages[1].text == ""
    assert view.messages[2] == Said("tool", "", (), ("out", '{"a":1}'))


def test_the_path_tells_the_form_of_the_answer() -> None:
    body: dict[str, Any] = {"contents": []}

    assert WIRE.view(body, STREAM).array
    assert not WIRE.view(body, STREAM.replace("streamG", "g")).stream


def test_only_generating_content_is_a_model_call() -> None:
    assert WIRE.matches("POST", STREAM)
    assert not WIRE.matches("GET", STREAM)
    assert not WIRE.matches("POST", "/v1beta/models/gemini-x:countTokens")
    counted = WIRE.other("POST", "/v1beta/models/gemini-x:countTokens", b"x" * 8)
    assert counted == {"totalTokens": 3}
    assert WIRE.other("GET", "/v1beta/models", b"") is None
