from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.agents.gemini import GEMINI, ROUTED, shell, write
from support.variant import PROMPT, with_faults
from traceproof.proxy.testing import Insert, Say, Status, Think, Turn, Usage, Use
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

OVERLOADED = '{"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}\r\n'


def story(stage: Stage, *ids: str) -> list[Turn]:
    """Return four turns with five tool calls, three of them at once; `ids` are the model's."""
    target = stage.workdir / "notes.txt"
    calls = [
        write(target, "one\n"),
        shell("echo first"),
        shell("echo second >&2; exit 3"),
        Use("read_file", {"file_path": str(target)}),
        shell(f"wc -l < {target}"),
    ]
    if ids:
        calls = [
            Use(call.name, call.input, name)
            for call, name in zip(calls, ids, strict=True)
            if isinstance(call, Use)
        ]
    thought = Think("A file, then three things at once.")
    return [
        Turn([thought, Say("I will write it."), calls[0]], usage=Usage(900, reasoning=7)),
        Turn(calls[1:4], usage=Usage(80, cache_read=900)),
        Turn(calls[4:]),
        Turn([Say("One of three failed, as told.")]),
    ]


def call_of(tool: Span) -> tuple[object, Any]:
    """Return what was called, and with what."""
    arguments = json.loads(str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS]))
    return tool.attributes[semconv.TOOL_NAME], arguments


def asked_for(turns: list[Turn]) -> list[tuple[object, Any]]:
    parts = [part for turn in turns for part in turn.parts]
    return [(part.name, part.input) for part in parts if isinstance(part, Use)]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_calls_without_ids_find_their_results_by_order(stage: Stage, mode: str) -> None:
    turns = story(stage)

    done = GEMINI.record(stage, turns, mode)

    assert done.ended.returncode == 0
    assert json.loads(done.ended.stdout)["response"] == "One of three failed, as told."
    assert (done.problems, done.log) == ([], "")
    assert done.differences() == []
    assert done.prompts == [PROMPT]

    assert sorted(map(repr, map(call_of, done.tools))) == sorted(map(repr, asked_for(turns)))
    results = {
        str(call_of(tool)[1]): str(tool.attributes[semconv.TOOL_CALL_RESULT]) for tool in done.tools
    }
    wrote, first, failed, read, counted = (results[str(given)] for _, given in asked_for(turns))
    assert "notes.txt" in wrote
    assert "Output: first" in first
    assert "Output: second\nExit Code: 3" in failed
    assert read == "one\n"
    assert "Output: 1" in counted
    assert {tool.attributes[semconv.JOIN] for tool in done.tools} == {"inferred"}


def test_calls_whose_ids_the_model_gave_are_joined_by_them(stage: Stage) -> None:
    ids = ("c1", "c2", "c3", "c4", "c5")

    done = GEMINI.record(stage, story(stage, *ids))

    assert done.ended.returncode == 0
    assert sorted(str(tool.attributes[semconv.TOOL_CALL_ID]) for tool in done.tools) == list(ids)
    assert {tool.attributes[semconv.JOIN] for tool in done.tools} == {"exact"}
    assert {tool.attributes[semconv.TOOL_STATE] for tool in done.tools} == {"answered"}


def test_a_turn_has_what_was_asked_and_answered(stage: Stage) -> None:
    done = GEMINI.record(stage, story(stage))

    first, second, _, last = done.chats()
    expected = {
        semconv.REQUEST_MODEL: "gemini-2.5-pro",
        semconv.RESPONSE_MODEL: "gemini-2.5-pro",
        semconv.REQUEST_STREAM: True,
        semconv.INPUT_TOKENS: 900,
        semconv.REASONING_TOKENS: 7,
        semconv.FINISH_REASONS: ["tool_call"],
    }
    assert {name: first.attributes.get(name) for name in expected} == expected
    assert second.attributes[semconv.CACHE_READ_TOKENS] == 900
    assert last.attributes[semconv.FINISH_REASONS] == ["stop"]
    (answer,) = json.loads(str(first.attributes[semconv.OUTPUT_MESSAGES]))
    assert [part["type"] for part in answer["parts"]] == ["reasoning", "text", "tool_call"]
    tools = json.loads(str(first.attributes[semconv.TOOL_DEFINITIONS]))
    assert {"write_file", "run_shell_command"} <= {tool["name"] for tool in tools}
    assert "CLI agent" in str(first.attributes[semconv.SYSTEM_INSTRUCTIONS])
    context = json.loads(str(first.attributes[semconv.INPUT_MESSAGES]))[0]["parts"][0]
    assert context["content"].startswith("<session_context>")
    kept = stage.traceproof("raw", "last", first.span_id, "response").stdout
    assert kept == done.model_calls[0].response_body


def test_without_a_model_the_question_which_to_use_is_a_side_call(stage: Stage) -> None:
    done = ROUTED.record(stage, story(stage))

    assert done.ended.returncode == 0
    assert done.differences() == []
    (router,) = done.chats("router")
    assert not router.attributes[semconv.REQUEST_STREAM]
    assert router.attributes["gen_ai.output.type"] == "json"
    assert len(done.chats()) == 4
    assert done.prompts == [PROMPT]


def test_an_error_between_the_events_breaks_a_stream_and_it_tries_again(stage: Stage) -> None:
    first, *more = story(stage)
    fault = Insert(after=2, raw=OVERLOADED, times=1)

    done = GEMINI.record(stage, [with_faults(first, fault), *more])

    assert done.ended.returncode == 0
    assert done.differences() == []
    broken, again, *_ = done.chats()
    told = (broken.attributes[semconv.CALL_STATE], broken.attributes[semconv.ERROR_TYPE])
    assert told == ("cut", "UNAVAILABLE")
    (retry,) = [link for link in again.links if link.attributes[semconv.LINK_TYPE] == "retry_of"]
    assert retry.span_id == broken.span_id


def test_a_refused_key_ends_as_it_would_without_recording(stage: Stage) -> None:
    done = GEMINI.record(stage, [Turn([Say("")], faults=[Status(403)])])

    assert done.ended.returncode == 403 & 0xFF
    assert done.root.attributes[semconv.PROCESS_EXIT_CODE] == 403 & 0xFF
    (chat,) = done.chats()
    assert chat.attributes[semconv.CALL_STATE] == "refused"
    assert chat.attributes[semconv.ERROR_TYPE] == "PERMISSION_DENIED"
