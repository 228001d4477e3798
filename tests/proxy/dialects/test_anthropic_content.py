from __future__ import annotations

from typing import Any

import pytest

from traceproof.proxy.dialects.anthropic_content import part, parts

BLOCKS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "text", "text": "hi"}, {"type": "text", "content": "hi"}),
    (
        {"type": "text", "text": "hi", "citations": [{"cited_text": "x"}]},
        {"type": "text", "content": "hi", "citations": [{"cited_text": "x"}]},
    ),
    (
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "reasoning", "content": "hm", "signature": "sig"},
    ),
    (
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "reasoning", "content": "", "encrypted": "opaque"},
    ),
    (
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_call", "id": "t1", "name": "Bash", "arguments": {"command": "ls"}},
    ),
    (
        {"type": "tool_use", "id": "t1", "name": "x", "input": {}, "caller": {"type": "direct"}},
        {
            "type": "tool_call",
            "id": "t1",
            "name": "x",
            "arguments": {},
            "caller": {"type": "direct"},
        },
    ),
    (
        {"type": "tool_result", "tool_use_id": "t1", "content": "done"},
        {"type": "tool_call_response", "id": "t1", "response": "done"},
    ),
    (
        {"type": "tool_result", "tool_use_id": "t1", "is_error": True},
        {"type": "tool_call_response", "id": "t1", "response": None, "is_error": True},
    ),
    (
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "content": [
                {"type": "text", "text": "a picture", "cache_control": {"type": "ephemeral"}},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                },
            ],
        },
        {
            "type": "tool_call_response",
            "id": "t1",
            "response": [
                {"type": "text", "content": "a picture"},
                {
                    "type": "blob",
                    "modality": "image",
                    "mime_type": "image/png",
                    "content": "aGk=",
                },
            ],
        },
    ),
    (
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        {"type": "uri", "modality": "image", "uri": "https://x.example/a.png"},
    ),
    (
        {"type": "document", "source": {"type": "file", "file_id": "f1"}, "title": "A paper"},
        {"type": "file", "modality": "document", "file_id": "f1", "title": "A paper"},
    ),
    (
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
        {
            "type": "server_tool_call",
            "id": "s1",
            "name": "web_search",
            "server_tool_call": {"type": "web_search", "arguments": {"query": "q"}},
        },
    ),
    (
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]},
        {
            "type": "server_tool_call_response",
            "id": "s1",
            "server_tool_call_response": {
                "type": "web_search_tool_result",
                "response": [{"url": "u"}],
            },
        },
    ),
    (
        {"type": "mcp_tool_use", "id": "m1", "name": "n", "server_name": "s", "input": {}},
        {
            "type": "server_tool_call",
            "id": "m1",
            "name": "n",
            "server_tool_call": {"type": "n", "arguments": {}},
            "server_name": "s",
        },
    ),
    (
        {"type": "mcp_tool_result", "tool_use_id": "m1", "is_error": False, "content": []},
        {
            "type": "server_tool_call_response",
            "id": "m1",
            "server_tool_call_response": {"type": "mcp_tool_result", "response": []},
            "is_error": False,
        },
    ),
]


@pytest.mark.parametrize(("block", "expected"), BLOCKS)
def test_every_documented_block(block: dict[str, Any], expected: dict[str, Any]) -> None:
    assert part(block) == expected
    assert part({**block, "cache_control": {"type": "ephemeral"}}) == expected


@pytest.mark.parametrize(
    "block",
    [
        {"type": "search_result", "source": "s", "title": "t", "content": []},
        {"type": "container_upload", "file_id": "f"},
        {"type": "compaction", "content": "summary"},
        {"type": "news_of_tomorrow", "a": [1]},
        {"type": "text", "text": 3},
        {"type": "thinking", "thinking": ["a"]},
        {"type": "redacted_thinking", "data": {}},
        {"type": "tool_use", "id": 1, "name": "x", "input": {}},
        {"type": "tool_result", "tool_use_id": "t", "is_error": "yes"},
        {"type": "x_tool_result", "content": "no id"},
        {"type": "image", "source": "nowhere"},
        {"type": "document", "source": {"type": "text", "data": "plain"}},
    ],
)
def test_anything_else_is_kept_whole(block: dict[str, Any]) -> None:
    assert part(block) == {"type": block["type"], "value": block}


def test_what_is_no_block_at_all() -> None:
    assert part(["x"]) == {"type": "content", "value": ["x"]}
    assert part({"type": ["x"]}) == {"type": "content", "value": {"type": ["x"]}}
    assert part({}) == {"type": "content", "value": {}}


def test_content_is_text_or_blocks() -> None:
    assert parts("hi") == parts([{"type": "text", "text": "hi"}])
    assert parts(None) == parts([]) == []
    assert parts({"a": 1}) == [{"type": "content", "value": {"a": 1}}]
