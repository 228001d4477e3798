from __future__ import annotations

import json
from typing import Any

import pytest

from support.agents import opencode
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, Variant
from traceproof.proxy.testing import Match, Say, Scene, Script, Think, Turn, Usage
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

BOTH = pytest.mark.parametrize("variant", opencode.VARIANTS, ids=lambda variant: variant.name)
PART_A, PART_B = "SUBTASK-A", "SUBTASK-B"


def arguments(tool: Span) -> dict[str, Any]:
    return json.loads(str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS]))


def results(done: Recorded) -> list[str]:
    return [str(tool.attributes[semconv.TOOL_CALL_RESULT]) for tool in done.tools]


@BOTH
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_every_turn_and_tool_call_is_in_the_trace(
    stage: Stage, variant: Variant, mode: str
) -> None:
    path = stage.workdir / HELLO
    turns = [
        Turn(
            [Think("A file, then."), Say("I write it."), variant.write(path, PROGRAM)],
            usage=Usage(1200, 40),
        ),
        Turn([variant.shell(f"python3 {HELLO}")], usage=Usage(90, 12, cache_read=1100)),
        Turn([variant.shell("echo no >&2; exit 3")]),
        Turn([Say("It says hi, and then no.")]),
    ]

    done = variant.record(stage, turns, mode)

    assert done.ended.returncode == 0
    assert path.read_text() == PROGRAM
    assert (done.problems, done.log, done.differences()) == ([], "", [])
    assert len(done.chats()) == 4
    assert len(done.chats("title")) == len(done.model_calls) - 4 == 1
    first, second, _, last = done.chats()
    counts = [
        first.attributes[semconv.INPUT_TOKENS],
        first.attributes[semconv.OUTPUT_TOKENS],
        second.attributes[semconv.CACHE_READ_TOKENS],
        last.attributes[semconv.FINISH_REASONS],
    ]
    assert counts == [1200, 40, 1100, ["stop"]]
    names = [tool.attributes[semconv.TOOL_NAME] for tool in done.tools]
    assert names == ["write" if variant.provider == "anthropic" else "apply_patch", "bash", "bash"]
    assert arguments(done.tools[1]) == {
        "command": f"python3 {HELLO}",
        "description": "A step",
    }
    assert [result.strip() for result in results(done)[1:]] == ["hi", "no"]
    sessions = {chat.attributes[semconv.CONVERSATION_ID] for chat in done.chats()}
    assert sessions == {done.root.attributes[semconv.CONVERSATION_ID]}
    prompts = done.prompts
    assert prompts == ['"Write hello.py and run it."']  # it quotes an argument that has spaces


def part(variant: Variant, phrase: str, stage: Stage) -> Scene:
    target = stage.workdir / f"{phrase}.txt"
    turns = [
        Turn([variant.write(target, f"{phrase}\n")]),
        Turn([variant.shell(f"cat {target.name}")]),
        Turn([Say(f"{phrase} is written.")]),
    ]
    return Scene(turns, when=Match(user=phrase), name=phrase)


@BOTH
def test_sub_agents_are_nested_in_the_tool_calls_that_started_them(
    stage: Stage, variant: Variant
) -> None:
    both = [opencode.task(f"{phrase}: write your file") for phrase in (PART_A, PART_B)]
    main = [
        Turn([Say("Two parts at once."), *both]),
        Turn([variant.shell(f"cat {PART_A}.txt {PART_B}.txt")]),
        Turn([Say("Both parts are done.")]),
    ]
    parts = [part(variant, phrase, stage) for phrase in (PART_A, PART_B)]
    script = Script([opencode.TITLE, *parts, Scene(main, name="main")])

    done = variant.play(stage, script)

    assert done.ended.returncode == 0
    assert done.differences() == []
    launches = {tool.span_id: tool for tool in done.tools if tool.name == "execute_tool task"}
    assert len(launches) == len(done.sub_agents) == 2
    for agent in done.sub_agents:
        launch = launches.pop(agent.parent_id)
        phrase = arguments(launch)["prompt"].partition(":")[0]
        assert agent.attributes[semconv.JOIN] == "exact"
        chats = [chat for chat in done.chats() if chat.parent_id == agent.span_id]
        assert len(chats) == 3
        assert phrase in str(chats[-1].attributes[semconv.OUTPUT_MESSAGES])
        tools = [tool for tool in done.tools if tool.parent_id == agent.span_id]
        assert len(tools) == 2
        assert launch.start <= agent.start <= agent.end <= launch.end
    assert launches == {}
    sessions = {chat.attributes[semconv.CONVERSATION_ID] for chat in done.chats()}
    assert sessions == {done.root.attributes[semconv.CONVERSATION_ID]}
