from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.agents.mini import ANTHROPIC, OPENAI, RESPONSES, SUBMIT, TEXTUAL, block, tool
from support.variant import PROMPT, Variant
from traceproof.proxy.testing import Request, Say, Turn, Usage
from traceproof.proxy.testing.script import Turns
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded

pytestmark = pytest.mark.agents

COMMANDS = ["echo hi > hi.txt", "cat hi.txt", "echo failed >&2; exit 3", "wc -l < hi.txt", SUBMIT]


def story() -> list[Turn]:
    """Return four turns with five commands, two of them at once, the last one to submit."""
    wrote, read, failed, counted, submitted = map(tool, COMMANDS)
    return [
        Turn([Say("I will write it."), wrote], usage=Usage(700)),
        Turn([Say("Two at once."), read, failed], usage=Usage(80, cache_read=700)),
        Turn([Say("How long?"), counted]),
        Turn([Say("Done."), submitted]),
    ]


def trajectory(stage: Stage) -> dict[str, Any]:
    """Return what the agent itself writes down."""
    return json.loads(Path(stage.env["HOME"], "trajectory.json").read_text())


def prompts(done: Recorded) -> list[str]:
    return done.prompts


@pytest.mark.parametrize(
    ("variant", "mode"),
    [(ANTHROPIC, "forward"), (ANTHROPIC, "reverse"), (OPENAI, "reverse"), (RESPONSES, "forward")],
    ids=lambda given: getattr(given, "name", given),
)
def test_every_turn_and_command_is_in_the_trace(stage: Stage, variant: Variant, mode: str) -> None:
    done = variant.record(stage, story(), mode)

    assert done.ended.returncode == 0
    assert (done.problems, done.log) == ([], "")
    assert done.differences() == []
    assert prompts(done) == [PROMPT]
    info = trajectory(stage)["info"]
    assert (info["exit_status"], info["model_stats"]["api_calls"]) == ("Submitted", 4)

    first, second, _, last = done.chats()
    assert not first.attributes.get(semconv.REQUEST_STREAM)
    assert first.attributes[semconv.INPUT_TOKENS] == 700
    assert second.attributes[semconv.CACHE_READ_TOKENS] == 700
    assert last.attributes[semconv.FINISH_REASONS] == ["tool_call"]
    arguments = [str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS]) for tool in done.tools]
    assert sorted(json.loads(text)["command"] for text in arguments) == sorted(COMMANDS)
    assert {tool.attributes[semconv.JOIN] for tool in done.tools} == {"exact"}


def test_each_command_has_its_result_and_the_last_one_has_none(stage: Stage) -> None:
    done = ANTHROPIC.record(stage, story())

    results = {}
    for span in done.tools:
        command = json.loads(str(span.attributes[semconv.TOOL_CALL_ARGUMENTS]))["command"]
        results[command] = span.attributes.get(semconv.TOOL_CALL_RESULT)
    assert results.pop(SUBMIT) is None
    told = {command: json.loads(str(result)) for command, result in results.items()}
    assert [told[command] for command in COMMANDS[:-1]] == [
        {"returncode": 0, "output": ""},
        {"returncode": 0, "output": "hi\n"},
        {"returncode": 3, "output": "failed\n"},
        {"returncode": 0, "output": "1\n"},
    ]


def test_without_tools_commands_are_text_and_their_output_is_no_prompt(stage: Stage) -> None:
    def second(request: Request) -> Turn:
        told = "Format error:" in request.last
        return Turn([Say("How long?"), block(COMMANDS[3])] if told else [Say("No command at all.")])

    turns: Turns = [
        Turn([Say("I will write it."), block(COMMANDS[0])]),
        second,
        Turn([Say("Done."), block(SUBMIT)]),
    ]

    done = TEXTUAL.record(stage, turns)

    assert done.ended.returncode == 0
    assert done.differences() == []
    assert trajectory(stage)["info"]["exit_status"] == "Submitted"
    assert (stage.workdir / "hi.txt").read_text() == "hi\n"
    assert prompts(done) == [PROMPT]
    assert len(done.chats()) == 4
    wrote_it, counted_it, submitted = (tool.attributes for tool in done.tools)
    assert {tool.attributes[semconv.EVIDENCE] for tool in done.tools} == {"inferred"}
    assert json.loads(str(counted_it[semconv.TOOL_CALL_ARGUMENTS])) == {"command": COMMANDS[3]}
    assert submitted[semconv.TOOL_STATE] == "unanswered"
    heard = json.loads(str(done.chats()[-1].attributes[semconv.INPUT_MESSAGES]))
    texts = [part["content"] for told in heard if told["role"] == "user" for part in told["parts"]]
    _, wrote, mistake, counted = texts
    assert wrote == "<returncode>0</returncode>\n<output>\n</output>"
    assert mistake.startswith("Format error:")
    assert counted == "<returncode>0</returncode>\n<output>\n1\n</output>"
    results = [told[semconv.TOOL_CALL_RESULT] for told in (wrote_it, counted_it)]
    assert results == [wrote, counted]


def test_raw_gives_the_bytes_that_the_model_got_and_sent(stage: Stage) -> None:
    done = OPENAI.record(stage, story())

    kept = [
        tuple(
            stage.traceproof("raw", done.path, span.span_id, side).stdout
            for side in ("request", "response")
        )
        for span in done.chats()
    ]
    assert kept == [(call.request_body, call.response_body) for call in done.model_calls]
