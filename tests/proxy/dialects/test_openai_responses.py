from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.openai_responses import OpenAIResponses
from traceproof.recorder.messages import Message, encode

DIALECT = OpenAIResponses()


def test_it_takes_posts_to_responses_on_any_host() -> None:
    assert DIALECT.matches("POST", "api.openai.com", "/v1/responses")
    assert DIALECT.matches("POST", "chatgpt.com", "/backend-api/codex/responses")
    assert not DIALECT.matches("GET", "api.openai.com", "/v1/responses")
    assert not DIALECT.matches("POST", "api.openai.com", "/v1/responses/resp_1/cancel")
    assert not DIALECT.matches("POST", "chatgpt.com", "/backend-api/codex/responses/compact")


def test_the_request_s_parameters() -> None:
    head = {
        "model": "gpt-x",
        "max_output_tokens": 500,
        "temperature": 0,
        "stream": True,
        "store": False,
        "previous_response_id": "resp_1",
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "x"}},
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "include": ["reasoning.encrypted_content"],
        "metadata": None,
    }

    assert DIALECT.attributes(head) == {
        "gen_ai.request.model": "gpt-x",
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.stream": True,
        "gen_ai.output.type": "json",
        "openai.request.service_tier": "flex",
        "traceproof.request.store": False,
        "traceproof.request.previous_response_id": "resp_1",
        "traceproof.request.reasoning": '{"effort":"high","summary":"auto"}',
        "traceproof.request.text": (
            '{"verbosity":"low","format":{"type":"json_schema","name":"x"}}'
        ),
        "traceproof.request.tool_choice": "auto",
        "traceproof.request.parallel_tool_calls": False,
        "traceproof.request.prompt_cache_key": "k",
        "traceproof.request.include": '["reasoning.encrypted_content"]',
    }


def test_tool_definitions() -> None:
    function = {"type": "function", "name": "ls", "parameters": {"type": "object"}, "strict": True}
    namespace = {"type": "namespace", "name": "files", "tools": [function]}

    assert DIALECT.tool(function) == function
    assert DIALECT.tool({"name": "ls"}) == {"type": "function", "name": "ls"}
    assert DIALECT.tool({"type": "web_search"}) == {"type": "web_search"}
    assert DIALECT.tool(namespace) == namespace
    assert DIALECT.tool(5) == {"type": "tool", "value": 5}


def test_the_instructions_are_text_or_items() -> None:
    items = [{"role": "developer", "content": [{"type": "input_text", "text": "Be good."}]}]

    assert DIALECT.system(None) == []
    assert DIALECT.system("Be good.") == [{"type": "text", "content": "Be good."}]
    assert DIALECT.system(items) == [{"type": "text", "content": "Be good."}]
    assert DIALECT.system(5) == [{"type": "content", "value": 5}]


def test_responses_are_read_streamed_or_not() -> None:
    body = json.dumps({"error": {"type": "t", "message": "m"}}).encode()
    parser = DIALECT.stream()
    parser.feed(b"data: " + body + b"\n\n")

    assert parser.close().error == DIALECT.response(body).error


EXAMPLES: list[Any] = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    {"type": "input_image", "image_url": "u", "file_id": "f", "detail": "d"},
    {"type": "input_file", "file_data": "d", "file_url": "u", "filename": "n"},
    {"type": "input_audio", "input_audio": {"data": "d", "format": "f"}},
    {"type": "function_call", "call_id": "c", "id": "i", "name": "n", "arguments": "{}"},
    {"type": "custom_tool_call", "input": "i"},
    {"type": "custom_tool_call_output", "output": [{"type": "output_text", "text": ""}]},
    {"type": "reasoning", "summary": [], "content": [], "encrypted_content": "e", "kind": "k"},
    {"type": "mcp_call", "server_label": "s", "output": "o", "action": {}, "extra": 1},
    {"type": "local_shell_call", "status": "completed", "refusal": "r", "web_search_call": 1},
]
words = st.sampled_from(sorted(set(re.findall(r"[a-z_]+", json.dumps(EXAMPLES)))))
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
    encode(DIALECT.message({"role": "user", "content": value}))
    encode(DIALECT.message({"role": "user", "content": [value]}))
    encode(DIALECT.message({"type": "function_call_output", "call_id": "c", "output": [value]}))
    encode(DIALECT.message({"type": "reasoning", "summary": [value], "content": value}))
    encode(Message("system", DIALECT.system(value)))
    encode(Message("system", DIALECT.system([value])))
    encode(Message("tools", [DIALECT.tool(value)]))
    DIALECT.attributes({"text": value, "model": value, "stream": value, "metadata": value})
