from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.gemini import CodeAssistGemini, Gemini, VertexGemini
from traceproof.recorder.messages import Message, encode

DIALECT = Gemini()
VERTEX = VertexGemini()
BETA = "/v1beta/models/gemini-2.5-pro"
VERTEX_PATH = "/v1/projects/p/locations/us/publishers/google/models/gemini-2.5-pro"


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent"])
def test_the_path_tells_a_chat_and_whose_it_is(verb: str) -> None:
    assert DIALECT.matches("POST", "generativelanguage.googleapis.com", f"{BETA}:{verb}")
    assert DIALECT.matches("POST", "gateway.example", f"/google{BETA}:{verb}")
    assert not DIALECT.matches("POST", "x-aiplatform.googleapis.com", f"{VERTEX_PATH}:{verb}")
    assert VERTEX.matches("POST", "x-aiplatform.googleapis.com", f"{VERTEX_PATH}:{verb}")
    assert not VERTEX.matches("POST", "generativelanguage.googleapis.com", f"{BETA}:{verb}")
    assert not DIALECT.matches("GET", "generativelanguage.googleapis.com", f"{BETA}:{verb}")
    assert not DIALECT.matches("POST", "cloudcode-pa.googleapis.com", f"/v1internal:{verb}")


def test_code_assist_wraps_the_same() -> None:
    dialect, inner = CodeAssistGemini(), {"candidates": [{"content": {"parts": [{"text": "x"}]}}]}
    wrapped = {"response": inner, "traceId": "t"}
    head = {
        "model": "gemini-x",
        "project": "p",
        "request": {"contents": [None], "session_id": "s", "generationConfig": {"seed": 7}},
    }

    assert dialect.matches("POST", "cloudcode-pa.googleapis.com", "/v1internal:generateContent")
    assert dialect.path_attributes("/v1internal:generateContent") == {
        "gen_ai.request.stream": False
    }
    assert dialect.path_attributes("/") == {}
    assert dialect.attributes(head) == {
        "gen_ai.request.model": "gemini-x",
        "gen_ai.request.seed": 7,
        "traceproof.request.project": "p",
        "traceproof.request.sessionId": "s",
    }
    made = dialect.response(json.dumps(wrapped).encode())
    assert made.messages == DIALECT.response(json.dumps(inner).encode()).messages
    assert made.extra == {"traceId": "t"}
    for body in (json.dumps(wrapped), f"data: {json.dumps(wrapped)}\n\n"):
        parser = dialect.stream()
        parser.feed(body.encode())
        assert parser.close().messages == made.messages


def test_other_calls_are_no_chats() -> None:
    for verb in ("countTokens", "embedContent", "batchGenerateContent", "streamRawPredict"):
        assert not DIALECT.matches("POST", "generativelanguage.googleapis.com", f"{BETA}:{verb}")


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        (f"{BETA}:generateContent", "gemini-2.5-pro", False),
        (f"{BETA}:streamGenerateContent", "gemini-2.5-pro", True),
        (f"{VERTEX_PATH}:streamGenerateContent", "gemini-2.5-pro", True),
        ("/v1beta/tunedModels/my%20own:generateContent", "tunedModels/my own", False),
        ("/v1/projects/p/locations/l/endpoints/7:generateContent", "endpoints/7", False),
    ],
)
def test_the_path_tells_the_model(path: str, model: str, stream: bool) -> None:
    assert VERTEX.path_attributes(path) == {
        "gen_ai.request.model": model,
        "gen_ai.request.stream": stream,
    }
    assert DIALECT.path_attributes("/") == {}


@pytest.mark.parametrize("key", ["generationConfig", "generation_config"])
def test_the_request_s_parameters(key: str) -> None:
    snake = "_" in key
    config = {
        "temperature": 0,
        "top_p" if snake else "topP": 0.5,
        "topK": 64,
        "maxOutputTokens": 500,
        "stopSequences": ["END"],
        "candidateCount": 1,
        "seed": 7,
        "responseMimeType": "application/json",
        "thinkingConfig": {"thinkingBudget": 8192},
    }

    assert DIALECT.attributes({key: config, "toolConfig": {"a": 1}, "labels": None}) == {
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 64.0,
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.choice.count": 1,
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "json",
        "traceproof.request.responseMimeType": "application/json",
        "traceproof.request.thinkingConfig": '{"thinkingBudget":8192}',
        "traceproof.request.toolConfig": '{"a":1}',
    }


def test_one_tool_defines_many_functions() -> None:
    schema = {"type": "OBJECT"}
    declarations = [
        {"name": "ls", "description": "List", "parameters": schema, "behavior": "BLOCKING"},
        {"name": "cat", "parametersJsonSchema": {"type": "object"}},
        5,
    ]

    for key in ("functionDeclarations", "function_declarations"):
        assert DIALECT.tool({key: declarations, "googleSearch": {"a": 1}}) == [
            {
                "type": "function",
                "name": "ls",
                "description": "List",
                "parameters": schema,
                "behavior": "BLOCKING",
            },
            {"type": "function", "name": "cat", "parameters": {"type": "object"}},
            {"type": "tool", "value": 5},
            {"type": "googleSearch", "a": 1},
        ]
    assert DIALECT.tool(5) == [{"type": "tool", "value": 5}]
    assert DIALECT.tool({"functionDeclarations": 5}) == [
        {"type": "functionDeclarations", "functionDeclarations": 5}
    ]


def test_the_system_instruction_is_a_content() -> None:
    content = {"role": "user", "parts": [{"text": "Be good."}]}
    expected = [{"type": "text", "content": "Be good."}]

    for value in (content, [content], "Be good."):
        assert DIALECT.system(value) == expected
    assert DIALECT.system(None) == []


def test_responses_are_read_streamed_or_not() -> None:
    body = json.dumps({"error": {"status": "t", "message": "m", "code": 400}}).encode()

    for sent in (body, b"data: " + body + b"\n\n", b"[" + body + b"]"):
        parser = DIALECT.stream()
        parser.feed(sent)
        assert parser.close().error == DIALECT.response(body).error


EXAMPLES: list[Any] = [
    {"role": "user", "parts": [{"text": "hi", "thought": True, "thoughtSignature": "s"}]},
    {"functionCall": {"id": "i", "name": "n", "args": {}}},
    {"function_response": {"id": "i", "name": "n", "response": {"output": "o", "error": "e"}}},
    {"inlineData": {"mimeType": "image/png", "data": "d"}, "videoMetadata": {}},
    {"file_data": {"file_uri": "u", "mime_type": "m"}},
    {"executableCode": {"code": "c", "language": "l"}},
    {"codeExecutionResult": {"outcome": "o", "output": "x", "type": "t", "content": "c"}},
]
words = st.sampled_from(sorted(set(re.findall(r"[A-Za-z_]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
near = st.builds(
    lambda example, more: {**example, **more},
    st.sampled_from(EXAMPLES),
    st.dictionaries(words, hostile, max_size=3),
)


@given(hostile | near)
def test_hostile_requests_never_raise(value: Any) -> None:
    encode(DIALECT.message(value))
    for part in (value, {"functionCall": value}, {"functionResponse": value}):
        encode(DIALECT.message({"role": "user", "parts": [part]}))
    for key in ("text", "inlineData", "fileData", "executableCode", "codeExecutionResult"):
        encode(DIALECT.message({"role": value, "parts": {key: value}}))
    encode(Message("system", DIALECT.system(value)))
    encode(Message("system", DIALECT.system([value])))
    encode(Message("tools", DIALECT.tool(value)))
    encode(Message("tools", DIALECT.tool({"functionDeclarations": [value], "a": value})))
    DIALECT.attributes({"generationConfig": value, "model": value})
