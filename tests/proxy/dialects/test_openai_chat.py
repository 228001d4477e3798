from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.openai_chat import OpenAIChat
from traceproof.recorder.messages import Message, encode

DIALECT = OpenAIChat()


def test_it_takes_posts_to_chat_completions_on_any_host() -> None:
    assert DIALECT.matches("POST", "api.openai.com", "/v1/chat/completions")
    assert DIALECT.matches("POST", "openrouter.example", "/api/v1/chat/completions/")
    assert not DIALECT.matches("GET", "api.openai.com", "/v1/chat/completions")
    assert not DIALECT.matches("POST", "api.openai.com", "/v1/completions")


def test_the_request_s_parameters() -> None:
    head = {
        "model": "gpt-x",
        "max_completion_tokens": 500,
        "max_tokens": 400,
        "temperature": 0,
        "stop": "END",
        "seed": 7,
        "n": 2,
        "stream": True,
        "stream_options": {"include_usage": True},
        "service_tier": "flex",
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "tool_choice": "auto",
        "logit_bias": None,
    }

    assert DIALECT.attributes(head) == {
        "gen_ai.request.model": "gpt-x",
        "gen_ai.request.max_tokens": 500,
        "traceproof.request.max_tokens": 400,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.seed": 7,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.stream": True,
        "gen_ai.output.type": "json",
        "openai.request.service_tier": "flex",
        "traceproof.request.stream_options": '{"include_usage":true}',
        "traceproof.request.reasoning_effort": "low",
        "traceproof.request.response_format": '{"type":"json_object"}',
        "traceproof.request.tool_choice": "auto",
    }


def test_tool_definitions() -> None:
    schema = {"type": "object", "properties": {}}
    function = {"name": "ls", "description": "List", "parameters": schema, "strict": True}

    assert DIALECT.tool({"type": "function", "function": function}) == {
        "type": "function",
        "name": "ls",
        "description": "List",
        "parameters": schema,
        "strict": True,
    }
    assert DIALECT.tool({"type": "custom", "custom": {"name": "patch", "format": {}}}) == {
        "type": "custom",
        "name": "patch",
        "format": {},
    }
    assert DIALECT.tool({"type": "function", "name": "flat"}) == {
        "type": "function",
        "name": "flat",
    }
    assert DIALECT.tool(5) == {"type": "tool", "value": 5}


def test_system_prompts_are_messages() -> None:
    assert DIALECT.system(None) == []
    assert DIALECT.system("odd") == [{"type": "system", "value": "odd"}]
    assert DIALECT.message({"role": "developer", "content": "Be good."}) == Message(
        "system", [{"type": "text", "content": "Be good."}]
    )


def test_responses_are_read_streamed_or_not() -> None:
    body = json.dumps({"error": {"type": "t", "message": "m"}}).encode()
    parser = DIALECT.stream()
    parser.feed(b"data: " + body + b"\n\n")

    assert parser.close().error == DIALECT.response(body).error


EXAMPLES = [
    {"role": "tool", "tool_call_id": "id", "content": [{"type": "text", "text": "hi"}]},
    {"type": "image_url", "image_url": {"url": "u"}},
    {"type": "input_audio", "input_audio": {"data": "d", "format": "f"}},
    {"type": "file", "file": {"file_id": "f", "file_data": "d"}},
    {"tool_calls": [{"function": {"name": "n", "arguments": "{}"}, "custom": {"input": "i"}}]},
    {"function_call": {}, "refusal": "", "reasoning": "", "extra": "", "assistant": ""},
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
    for role in ("user", "tool", "assistant"):
        encode(DIALECT.message({"role": role, "content": value, "tool_calls": value}))
        encode(DIALECT.message({"role": role, "tool_calls": [value], "function_call": value}))
    encode(Message("tools", [DIALECT.tool(value)]))
    DIALECT.attributes({"response_format": value, "model": value, "stop": value})
