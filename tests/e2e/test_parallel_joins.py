"""Many commands at once: each ends up under the tool call that asked for it, and under no other.

A command's own output is the truth: it is in the result of the call that asked, and equal commands
print what differs from run to run.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.agents import codex, mini, opencode
from traceproof.proxy.testing import Custom, Match, Say, Scene, Script, Turn, Use, scenarios
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded
    from support.variant import Variant
    from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

SAME = "echo equal-$$-$PPID-end"
"""The process ids are those of this run alone."""


def asked(tool: Span) -> str:
    arguments = str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS])
    return str(json.loads(arguments)["command"]) if arguments.startswith("{") else arguments


def output(command: Span) -> str:
    names = (semconv.COMMAND_STDOUT, semconv.COMMAND_STDERR, semconv.COMMAND_OUTPUT)
    return "".join(str(command.attributes.get(name, "")) for name in names).strip()


def commands(done: Recorded) -> list[Span]:
    """The commands that tool calls asked for."""
    return [span for span in done.spans if span.attributes.get(semconv.COMMAND_FOR) == "tool"]


def bashes(done: Recorded, *, but: str = "") -> list[Span]:
    """The tool calls that run a command, all but the one that runs `but`."""
    named = [span for span in done.tools if span.attributes[semconv.TOOL_NAME] in {"Bash", "bash"}]
    return [tool for tool in named if asked(tool) != but]


def mistakes(done: Recorded, tools: list[Span]) -> list[str]:
    """Say which calls have not the one command that ran for them."""
    every = commands(done)
    ran = {tool.span_id: [c for c in every if c.parent_id == tool.span_id] for tool in tools}
    found = [
        f"{asked(tool)}: {len(ran[tool.span_id])} commands"
        for tool in tools
        if len(ran[tool.span_id]) != 1
    ]
    for tool in tools:
        result = str(tool.attributes.get(semconv.TOOL_CALL_RESULT, ""))
        found += [
            f"{asked(tool)}: {output(command)!r} is not in {result!r}"
            for command in ran[tool.span_id]
            if not output(command) or output(command) not in result
        ]
    return found


def joins(done: Recorded) -> Counter[object]:
    return Counter(command.attributes.get(semconv.JOIN) for command in commands(done))


def lines(who: str, count: int) -> list[str]:
    """Return different commands, and among them one that everybody runs."""
    return [SAME if n % 5 == 4 else f"echo {who}-{n}-$((1 + {n}))" for n in range(count)]


def sub_agent(phrase: str) -> Scene:
    runs = [scenarios.bash(line, "A step") for line in lines(phrase.lower(), 5)]
    again = [scenarios.bash(line, "A step") for line in lines("both", 5)]
    return Scene(
        name=phrase,
        when=Match(user=phrase, system="cc_is_subagent=true"),
        turns=[Turn(runs), Turn(again), Turn([Say(f"{phrase} is done.")])],
    )


def test_claude_code_with_twenty_calls_at_once_and_two_sub_agents(stage: Stage) -> None:
    twenty = [scenarios.bash(line, "A step") for line in lines("main", 20)]
    prompt = {"description": "A part", "subagent_type": "general-purpose"}
    parts = [scenarios.PART_A, scenarios.PART_B]
    agents = [Use("Agent", {**prompt, "prompt": f"{part}: run what you must"}) for part in parts]
    main = [Turn([*agents, *twenty]), Turn([Say("All of it ran.")])]
    script = Script([scenarios.TITLE, *map(sub_agent, parts), Scene(main, name="main")])

    done = stage.record(script, *stage.claude("Run it all."))

    assert (done.ended.returncode, done.problems, done.log) == (0, [], "")
    tools = bashes(done)
    assert len(tools) == 20 + 2 * 10
    assert len(done.sub_agents) == 2
    assert mistakes(done, tools) == []
    assert joins(done) == {"exact": 40}
    assert Counter(asked(tool) for tool in tools)[SAME] == 4 + 2 * 2


@pytest.mark.parametrize("variant", [mini.ANTHROPIC, opencode.VARIANTS[0]], ids=lambda v: v.name)
def test_by_inference_calls_of_one_answer_each_have_their_own_command(
    stage: Stage, variant: Variant
) -> None:
    several = [variant.shell(line) for line in lines(variant.agent, 10)]
    turns = [Turn([Say("All at once."), *several]), Turn(several[:5]), Turn(variant.finish)]

    done = variant.record(stage, turns)

    assert (done.ended.returncode, done.problems, done.log) == (0, [], "")
    tools = bashes(done, but=mini.SUBMIT)
    assert len(tools) == 15
    assert mistakes(done, tools) == []
    assert set(joins(done)) == {"inferred"}
    assert Counter(asked(tool) for tool in tools)[SAME] == 3


def test_by_inference_sub_agents_that_run_equal_commands_at_once_keep_them(stage: Stage) -> None:
    variant = opencode.VARIANTS[0]

    def part(phrase: str) -> Scene:
        runs = [variant.shell(line) for line in lines(phrase.lower(), 5)]
        same = [variant.shell(line) for line in lines("both", 5)]
        turns = [Turn(runs), Turn(same), Turn([Say(f"{phrase} is done.")])]
        return Scene(turns, when=Match(user=phrase), name=phrase)

    parts = [scenarios.PART_A, scenarios.PART_B]
    agents = [opencode.task(f"{phrase}: run what you must") for phrase in parts]
    main = Scene([Turn([Say("Both."), *agents]), Turn([Say("All of it ran.")])], name="main")

    done = variant.play(stage, Script([opencode.TITLE, *map(part, parts), main]))

    assert (done.ended.returncode, done.problems, done.log) == (0, [], "")
    tools = bashes(done)
    assert (len(tools), len(done.sub_agents)) == (20, 2)
    assert mistakes(done, tools) == []
    assert joins(done) == {"inferred": 20}


def test_in_codexs_code_mode_each_program_has_the_commands_that_it_ran(stage: Stage) -> None:
    (variant,) = (variant for variant in codex.VARIANTS if variant.name == "codex-code")
    programs = [variant.shell(line) for line in lines("code", 5)]
    ran = "const ran = await tools.exec_command({cmd: 'ec' + 'ho computed'}); text(ran.output);"
    twice = "for (const n of [1, 2]) { const ran = await tools.exec_command({cmd: 'echo twice'}); }"
    turns = [Turn(programs), Turn([Custom("exec", ran)]), Turn([Custom("exec", twice)])]

    done = variant.record(stage, [*turns, Turn([Say("Done.")])])

    assert (done.ended.returncode, done.problems, done.log) == (0, [], "")
    *five, computed, two = done.tools
    assert mistakes(done, [*five, computed]) == []
    assert [output(c) for c in commands(done) if c.parent_id == two.span_id] == ["twice"] * 2
    assert joins(done) == {"inferred": 8}
