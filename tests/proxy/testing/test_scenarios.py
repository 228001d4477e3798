"""What the scripts say; that the real agents play them is seen in tests/e2e."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.proxy.testing import Script, ScriptedModel, scenarios
from traceproof.proxy.testing.director import Director
from traceproof.proxy.testing.request import Request, Said, View

Post = Callable[..., Any]


def converse(model: ScriptedModel, post: Post, prompt: str = "do it") -> list[list[Any]]:
    """Play a conversation as an agent would, answering each tool call; return what was said."""
    messages: list[Any] = [{"role": "user", "content": prompt}]
    said = []
    while True:
        request = {"model": "m", "messages": messages, "tools": [{"name": "Bash"}]}
        content = post(model, json.dumps(request).encode()).json["content"]
        said.append(content)
        calls = [block for block in content if block["type"] == "tool_use"]
        if not calls:
            return said
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": "ANTHROPIC_API_KEY=sk-1"}
            for call in calls
        ]
        messages += [
            {"role": "assistant", "content": content},
            {"role": "user", "content": results},
        ]


def tools(said: list[list[Any]]) -> list[list[str]]:
    return [[block["name"] for block in turn if block["type"] == "tool_use"] for turn in said]


@pytest.mark.parametrize(
    ("script", "used"),
    [
        (scenarios.claude_fix_bug(Path("/w")), [["Write"], ["Bash"], ["Bash"], []]),
        (scenarios.claude_parallel_tools(Path("/w")), [["Write"], ["Bash", "Bash", "Read"], []]),
        (scenarios.claude_two_subagents(Path("/w")), [["Agent", "Agent"], ["Bash"], []]),
        (scenarios.claude_prints_key(), [["Bash"], []]),
    ],
)
def test_the_main_conversation(post: Post, script: Script, used: list[list[str]]) -> None:
    with ScriptedModel(script) as model:
        assert tools(converse(model, post)) == used

    assert model.unmatched == []


def test_the_model_repeats_the_key(post: Post) -> None:
    with ScriptedModel(scenarios.claude_prints_key()) as model:
        (last,) = converse(model, post)[-1]

    assert "sk-1" in last["text"]


def test_sub_agents_have_scenes_of_their_own() -> None:
    director = Director(scenarios.claude_two_subagents(Path("/w")))
    prompts = [scenarios.PART_A, scenarios.PART_B]
    views = [
        View(system="cc_is_subagent=true;", messages=[Said("user", prompt)], tools=("Bash",))
        for prompt in prompts
    ]

    cues = [director.cue(Request("POST", "/v1/messages", [], b"", view)) for view in views]
    assert [cue.name for cue in cues] == prompts


def test_a_title_is_json(post: Post) -> None:
    with ScriptedModel(scenarios.claude_prints_key()) as model:
        asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": "title"}]})
        title = post(model, asked.encode()).json["content"][0]["text"]

    assert json.loads(title).keys() == {"title"}


def test_the_fixed_module_passes_its_own_check() -> None:
    run = subprocess.run(
        [sys.executable, "-c", scenarios.FIXED], capture_output=True, text=True, check=True
    )

    assert run.stdout == "sum ok\n"


def test_aider_mends_its_file_in_three_turns() -> None:
    director = Director(scenarios.aider_hello())
    example = Said("assistant", "an example of an edit")
    messages, said = [example, Said("user", "write hello.py")], []
    for _ in range(3):
        view = View(messages=list(messages))
        turn = director.cue(Request("POST", "/v1/chat/completions", [], b"", view)).turn
        text = "".join(getattr(part, "text", "") for part in turn.parts)
        said.append(text)
        messages += [Said("assistant", text), Said("user", "the test fails")]

    assert [greeting in text for text, greeting in zip(said, scenarios.GREETINGS, strict=True)] == [
        True
    ] * 3
    assert "```bash" in said[-1]


def test_a_stream_of_so_many_chunks() -> None:
    turn = scenarios.many_chunks(200, 12).scenes[0].turns
    assert not callable(turn)
    (said,) = turn
    assert not callable(said)
    assert len(getattr(said.parts[0], "text", "")) == 200 * 12
    assert said.piece == 12
