from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from support import transcripts
from support.transcripts import only, read
from traceproof.imports.events import Answered, Decided, Known, Ran, Said
from traceproof.recorder import semconv

TASK = "Please solve this issue: Fix it.\n\nYou can execute bash commands and edit files."


def call(call_id: str, command: str, **more: Any) -> dict[str, Any]:
    function = {"name": "bash", "arguments": f'{{"command": "{command}"}}'}
    return {
        "role": "assistant",
        "content": "So.",
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        **more,
    }


def told(tmp_path: Path, *messages: Any, mode: str = "yolo", **more: Any) -> list:
    config = {"agent": {"mode": mode}, "model": {"model_name": "openai/gpt-4o"}}
    info = {"config": config, "mini_version": "2.4.6"}
    trajectory = {"info": info, "messages": list(messages), "trajectory_format": "mini-swe-agent-1"}
    return read(transcripts.document(tmp_path / "t.traj.json", {**trajectory, **more}))


def test_answers_results_and_exit_codes(tmp_path: Path) -> None:
    response = {
        "id": "chatcmpl-1",
        "model": "gpt-4o-x",
        "choices": [{"finish_reason": "tool_calls", "message": {"content": "So."}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    events = told(
        tmp_path,
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": TASK},
        call("a", "false", extra={"response": response, "timestamp": 1700000000.5}),
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": '{"returncode": 1}',
            "extra": {"returncode": 1, "raw_output": "no", "timestamp": 1700000001.0},
        },
        {"role": "exit", "content": ""},
    )

    (known,), (answer,) = only(Known, events), only(Answered, events)
    assert known.attributes == {semconv.AGENT_VERSION: "2.4.6"}
    assert (answer.model, answer.provider, answer.response.id) == ("gpt-4o", "openai", "chatcmpl-1")
    assert (answer.response.usage.input, answer.response.usage.output) == (5, 2)
    assert answer.time == 1700000000_500000000
    assert [event.prompt for event in only(Said, events)] == ["", "Fix it.", ""]
    (ran,) = only(Ran, events)
    assert (ran.script, ran.exit_code, ran.output) == ("false", 1, "no")
    assert [event.approval for event in only(Decided, events)] == ["bypassed"]


def test_who_confirms_each_command_is_not_said_to_have_granted_it(tmp_path: Path) -> None:
    result = {"role": "tool", "tool_call_id": "a", "content": "x", "extra": {"returncode": 0}}

    assert only(Decided, told(tmp_path, call("a", "true"), result, mode="confirm")) == []


def test_commands_in_the_text_are_calls_that_are_inferred(tmp_path: Path) -> None:
    say = {"role": "assistant", "content": "```bash\nls\n```"}
    told_by = {**say, "extra": {"actions": [{"command": "pwd"}]}}
    events = told(
        tmp_path,
        say,
        {"role": "user", "content": "<returncode>2</returncode>\n<output>\n</output>"},
        told_by,
        {"role": "user", "content": "Format error: what?", "extra": {}},
    )

    first, second = only(Answered, events)
    (ls,), (pwd,) = first.asked, second.asked
    assert (ls.name, ls.arguments, ls.exact) == ("bash", '{"command":"ls"}', False)
    assert pwd.arguments == '{"command":"pwd"}'
    assert [event.answers for event in only(Said, events)] == [ls.call_id, ""]
    assert [event.prompt for event in only(Said, events)] == ["", ""]
    assert [event.exit_code for event in only(Ran, events)] == [2]


def test_the_last_command_is_not_run_and_nobody_hears_of_it(tmp_path: Path) -> None:
    extra = {"returncode": -1, "exception_info": "action was not executed"}
    result = {"role": "tool", "tool_call_id": "a", "content": "x", "extra": extra}

    assert only(Said, told(tmp_path, call("a", "echo done"), result)) == []


def test_an_id_of_litellm_s_own_is_not_the_provider_s(tmp_path: Path) -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}
    hidden = b"litellm:custom_llm_provider:openai;model_id:None;response_id:resp_1"
    ids = [f"resp_{base64.b64encode(hidden).decode()}", "resp_plain"]

    answers = [
        only(Answered, told(tmp_path, {"object": "response", "id": each, "output": [item]}))[0]
        for each in ids
    ]

    assert [answer.response.id for answer in answers] == ["resp_1", "resp_plain"]


def test_what_is_whole_of_a_document_that_was_cut_off_is_taken(tmp_path: Path) -> None:
    path = transcripts.document(
        tmp_path / "t.json",
        {
            "trajectory_format": "mini-swe-agent-1.1",
            "messages": [{"role": "user", "content": TASK}] * 3,
        },
    )
    path.write_text(path.read_text()[:-60])

    assert len(only(Said, read(path))) == 2
