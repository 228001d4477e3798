from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.recorder.messages import Message, encode

DIALECT = AnthropicMessages()
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}


def test_it_takes_posts_to_messages_on_any_host() -> None:
    assert DIALECT.matches("POST", "api.anthropic.com", "/v1/messages")
    assert DIALECT.matches("POST", "gateway.example", "/team/v1/messages/")
    assert not DIALECT.matches("GET", "api.anthropic.com", "/v1/messages")
    assert not DIALECT.matches("POST", "api.anthropic.com", "/v1/messages/count_tokens")


def test_the_request_s_parameters() -> None:
    head = {
        "model": "claude-x",
        "max_tokens": 32000,
        "temperature": 1,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["END"],
        "stream": True,
        "thinking": {"type": "enabled", "budget_tokens": 31999},
        "tool_choice": {"type": "auto"},
        "service_tier": "auto",
        "betas": ["x-2026"],
        "metadata": {"user_id": "user_1_session_2"},
        "output_config": {"format": {"type": "json_schema", "schema": {}}},
    }

    assert DIALECT.attributes(head) == {
        "gen_ai.request.model": "claude-x",
        "gen_ai.request.max_tokens": 32000,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40.0,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.stream": True,
        "gen_ai.output.type": "json",
        "traceproof.request.thinking": '{"type":"enabled","budget_tokens":31999}',
        "traceproof.request.tool_choice": '{"type":"auto"}',
        "traceproof.request.service_tier": "auto",
        "traceproof.request.betas": '["x-2026"]',
        "traceproof.request.metadata.user_id": "user_1_session_2",
        "traceproof.request.output_config": '{"format":{"type":"json_schema","schema":{}}}',
    }


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"user_id": {"a": 1}}, {"traceproof.request.metadata.user_id": '{"a":1}'}),
        ({"team": "x"}, {"traceproof.request.metadata": '{"team":"x"}'}),
        (["odd"], {"traceproof.request.metadata": '["odd"]'}),
        (None, {}),
    ],
)
def test_metadata_of_any_kind(metadata: Any, expected: dict[str, Any]) -> None:
    assert DIALECT.attributes({"metadata": metadata}) == expected


def test_messages_and_their_roles() -> None:
    text = {"type": "text", "text": "hi"}

    assert DIALECT.message({"role": "user", "content": "hi"}).role == "user"
    assert DIALECT.message({"role": "user", "content": [RESULT, RESULT]}).role == "tool"
    assert DIALECT.message({"role": "user", "content": [RESULT, text]}).role == "user"
    assert DIALECT.message({"role": "user", "content": []}).role == "user"
    assert DIALECT.message({"role": "assistant", "content": [text]}) == Message(
        "assistant", [{"type": "text", "content": "hi"}]
    )
    assert DIALECT.message({"role": "system", "content": "later"}).role == "system"


def test_messages_of_any_other_shape_keep_what_they_hold() -> None:
    assert DIALECT.message("hi") == Message("user", [{"type": "message", "value": "hi"}])
    assert DIALECT.message({"role": 5, "content": "hi", "id": "m", "cache_control": {}}) == Message(
        "user",
        [
            {"type": "text", "content": "hi"},
            {"type": "id", "value": "m"},
            {"type": "role", "value": 5},
        ],
    )


def test_the_system_prompt() -> None:
    blocks = [{"type": "text", "text": "Be good.", "cache_control": {"type": "ephemeral"}}]

    assert DIALECT.system("Be good.") == DIALECT.system(blocks)
    assert DIALECT.system(None) == []


def test_tool_definitions() -> None:
    schema = {"type": "object", "properties": {}}
    own = {"name": "Bash", "description": "Run", "input_schema": schema, "cache_control": {}}

    assert DIALECT.tool(own) == {
        "type": "function",
        "name": "Bash",
        "description": "Run",
        "parameters": schema,
    }
    assert DIALECT.tool({**own, "type": "custom"}) == DIALECT.tool(own)
    assert DIALECT.tool({"type": "web_search_20250305", "name": "web_search", "max_uses": 5}) == {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 5,
    }
    assert DIALECT.tool(["odd"]) == {"type": "tool", "value": ["odd"]}


def test_responses_are_read_streamed_or_not() -> None:
    body = json.dumps({"type": "error", "error": {"type": "t", "message": "m"}}).encode()
    parser = DIALECT.stream()
    parser.feed(b"data: " + body + b"\n\n")

    assert parser.close().error == DIALECT.response(body).error


EXAMPLES = [
    {"role": "user", "content": [RESULT, {"type": "text", "text": "hi"}]},
    {"type": "image", "source": {"type": "base64", "media_type": "m", "data": "d"}},
    {"type": "tool_use", "id": "i", "name": "n", "input": {}, "is_error": True, "extra": ""},
    {"type": "thinking", "thinking": ""},
]
words = st.sampled_from(sorted(set(re.findall(r"[a-z_]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)


@given(hostile)
def test_hostile_requests_never_raise(value: Any) -> None:
    encode(DIALECT.message(value))
    encode(DIALECT.message({"role": "user", "content": value}))
    encode(Message("system", DIALECT.system(value)))
    encode(Message("tools", [DIALECT.tool(value)]))
    DIALECT.attributes({"metadata": value, "output_config": value, "model": value})
