"""A session as it was recorded, and as the transcript tells it that the same run left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import traceproof
from support.agents import codex, mini
from support.stage import Stage
from support.trace import Recorded
from support.variant import PROMPT, TOKEN, Variant
from traceproof.proxy.testing import Say, Scene, Script, Think, Turn, Usage, Use, scenarios
from traceproof.turns import Agent, ToolCall

pytestmark = pytest.mark.agents

CODEX = {variant.name: variant for variant in codex.VARIANTS}
ANYWHERE = {"exact_bytes", "exact_context", "failed_calls", "request_parameters", "workspace"}
ANYWHERE |= {"agent_exit_code", "call_starts", "command_streams", "final_diff", "side_calls"}
"""What none of these transcripts tells."""
LACKING = {
    "claude-code": {"commands", "repository", "results_as_sent", "system_prompt"},
    "codex": set[str](),
    "mini-swe-agent": {"commands", "repository", "sub_agents"},
}
REMINDER = "\n\n<system-reminder>"
"""What Claude Code puts at the end of a result as it sends it, and not into its transcript."""


def imported(stage: Stage, done: Recorded, *files: Path) -> dict[str, Any]:
    """Import what the agent left; the store has the recording too."""
    ended = stage.traceproof("import", "--json", *files)
    assert ended.returncode == 0, ended.stderr.decode()
    (told,) = json.loads(ended.stdout)
    assert told.get("problems", []) == []
    assert set(told["missing"]) == ANYWHERE | LACKING[told["source"]] | {"tool_definitions"}
    assert Path(told["trace"]) != done.path
    return told


def session(path: Path, *, response_ids: bool = True) -> list[Any]:
    """Tell who said what, asked for what, and what came of it, agent by agent."""
    with traceproof.open_trace(path) as trace:
        assert trace.problems == []
        return [list(agent_s(agent, response_ids=response_ids)) for agent in trace.agents()]


def agent_s(agent: Agent, *, response_ids: bool) -> Iterator[Any]:
    yield agent.name, [prompt.text for prompt in agent.prompts], agent.join
    for turn in agent.turns():
        yield {
            "model": turn.model,
            "provider": turn.provider,
            "said": [(message.role, message.parts) for message in turn.output],
            "finish": turn.finish_reasons,
            "usage": turn.usage,
            "id": turn.get("gen_ai.response.id") if response_ids else None,
            "tools": [tool_s(call) for call in turn.tool_calls],
        }


def tool_s(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "result": (call.result or "").partition(REMINDER)[0],
        "is_error": call.is_error,
        "state": call.state,
        "join": call.join,
        "approval": call.approval,
        "sub_agents": [agent.name for agent in call.sub_agents()],
    }


def claude_file(stage: Stage) -> Path:
    (path,) = Path(stage.env["HOME"]).glob(".claude/projects/*/*.jsonl")
    return path


def codex_files(stage: Stage) -> list[Path]:
    return sorted(Path(stage.env["HOME"]).glob(".codex/sessions/*/*/*/rollout-*.jsonl"))


def test_claude_code_with_parallel_tools_and_an_error(stage: Stage) -> None:
    done = stage.record(scenarios.claude_parallel_tools(stage.workdir), *stage.claude())

    told = imported(stage, done, claude_file(stage))

    (main,) = session(done.path)
    assert session(Path(told["trace"])) == [main]
    assert [len(turn["tools"]) for turn in main[1:]] == [1, 3, 0]
    assert [tool["is_error"] for tool in main[2]["tools"]] == [False, True, None]
    assert {tool["approval"] for turn in main[1:] for tool in turn["tools"]} == {"auto"}


def test_claude_code_with_two_sub_agents(stage: Stage) -> None:
    done = stage.record(scenarios.claude_two_subagents(stage.workdir), *stage.claude())

    file = claude_file(stage)
    told = imported(stage, done, file, *file.with_suffix("").glob("subagents/*.jsonl"))

    recorded = session(done.path)
    assert by_name(session(Path(told["trace"]))) == by_name(recorded)
    assert [head[0] for head, *_ in recorded[1:]] == ["general-purpose"] * 2
    assert len(file_names(Path(told["trace"]))) == 3


def test_claude_code_that_is_denied_what_it_asks_for(stage: Stage) -> None:
    script = scenarios.claude(
        Turn([scenarios.bash("touch x", "A step"), Use("Read", {"file_path": "/dev/null"})]),
        Turn([Say("Then not.")]),
    )
    command = [word for word in stage.claude() if word != "Bash Write Read Edit"]
    command.remove("--allowedTools")

    done = stage.record(script, *command)
    told = imported(stage, done, claude_file(stage))

    (main,) = session(done.path)
    assert session(Path(told["trace"])) == [main]
    assert main[1]["tools"][0]["approval"] == "denied"


def test_codex_with_thoughts_and_failing_commands(stage: Stage) -> None:
    usage = Usage(1200, 40, cache_read=900, reasoning=7)
    turns = [
        Turn([Think("Easy."), codex.shell("echo a; exit 3"), codex.shell("echo b")], usage=usage),
        Turn([codex.shell("cat nofile")]),
        Turn([Say("Done.")]),
    ]
    done = CODEX["codex"].record(stage, turns)

    told = imported(stage, done, *codex_files(stage))

    (main,) = session(done.path)
    assert session(Path(told["trace"])) == [main]
    assert main[1]["usage"].reasoning_tokens == 7
    assert {tool["approval"] for turn in main[1:] for tool in turn["tools"]} == {"bypassed"}
    assert exit_codes(Path(told["trace"])) == [0, 1, 3]


@pytest.mark.parametrize("name", ["codex", "codex-http", "codex-code"])
def test_codex_however_it_talks(stage: Stage, name: str) -> None:
    variant = CODEX[name]
    done = variant.record(stage, variant.turns(stage))
    stage.env["GITHUB_TOKEN"] = TOKEN  # which masks it in the transcript too

    told = imported(stage, done, *codex_files(stage))

    assert session(Path(told["trace"])) == session(done.path)


def test_codex_with_a_sub_agent(stage: Stage) -> None:
    asked = Use("collaboration.spawn_agent", {"task_name": "part", "message": "SUBTASK: count"})
    waited = Use("collaboration.wait_agent", {"timeout_ms": 20000})
    script = Script(
        [
            Scene(
                [Turn([codex.shell_in_code("echo counted")]), Turn([Say("Counted.")])],
                when=lambda request: request.header("x-openai-subagent") is not None,
                name="part",
            ),
            Scene([Turn([asked]), Turn([waited]), Turn([Say("Done.")])], name="main"),
        ]
    )
    done = CODEX["codex-code"].play(stage, script)

    told = imported(stage, done, *codex_files(stage))

    assert session(Path(told["trace"])) == session(done.path)
    assert len(session(done.path)) == 2


@pytest.mark.parametrize(
    "variant", [mini.ANTHROPIC, mini.OPENAI, mini.RESPONSES], ids=lambda variant: variant.name
)
def test_mini_swe_agent(stage: Stage, variant: Variant) -> None:
    done = variant.record(stage, variant.turns(stage))
    stage.env["GITHUB_TOKEN"] = TOKEN

    told = imported(stage, done, Path(stage.env["HOME"], "trajectory.json"))

    # LiteLLM gives answers ids of its own, in place of Anthropic's
    ids = variant is not mini.ANTHROPIC
    (main,) = session(done.path, response_ids=ids)
    assert session(Path(told["trace"]), response_ids=ids) == [main]
    assert main[0][1] == [PROMPT]
    assert [len(turn["tools"]) for turn in main[1:]] == [1, 1, 1]
    assert exit_codes(Path(told["trace"])) == [0, 0]


def by_name(agents: list[Any]) -> list[str]:
    return sorted(json.dumps(agent, default=str) for agent in agents)


def file_names(trace: Path) -> list[str]:
    with traceproof.open_trace(trace) as opened:
        return [file["name"] for file in opened.facts["traceproof.import.files"]]


def exit_codes(trace: Path) -> list[int]:
    """Return the exit codes of commands, in ascending order."""
    with traceproof.open_trace(trace) as opened:
        spans = [record.span for record in opened.spans() if record.span.parent_id]
    codes = (span.attributes.get("process.exit.code") for span in spans)
    return sorted(code for code in codes if isinstance(code, int))
