from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import transcripts
from support.transcripts import only, read
from traceproof.imports.events import Answered, Back, Known, Said, Took

CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "bash", "arguments": '{"command":"ls"}'},
}
HISTORY = [
    {"role": "system", "content": "Be good.", "agent": "main", "message_type": "system_prompt"},
    {"role": "user", "content": "A demonstration.", "is_demo": True},
    {
        "role": "user",
        "content": [{"type": "text", "text": "Fix it."}],
        "message_type": "observation",
    },
    {"role": "assistant", "content": "Look.", "tool_calls": [CALL], "message_type": "action"},
    {"role": "tool", "content": "a.py", "tool_call_ids": ["c1"], "message_type": "observation"},
    {"role": "assistant", "content": "Submit.", "tool_calls": [{**CALL, "id": "c2"}]},
]
STEPS = [
    {"action": "ls", "observation": "a.py", "response": "Look.", "execution_time": 0.5},
    {
        "action": "submit",
        "observation": "Submitted.",
        "response": "Submit.",
        "execution_time": 0.25,
    },
]


def told(tmp_path: Path, **members: Any) -> list:
    return read(transcripts.document(tmp_path / "i.traj", members))


def test_the_history_tells_the_conversation_and_the_steps_how_long_it_took(tmp_path: Path) -> None:
    replay = json.dumps({"agent": {"model": {"name": "claude-sonnet-4"}}})
    info = {
        "submission": "diff --git a b",
        "exit_status": "submitted",
        "swe_agent_version": "1.1.0",
    }

    events = told(tmp_path, history=HISTORY, trajectory=STEPS, info=info, replay_config=replay)

    (known,) = only(Known, events)
    assert known.final_diff == "diff --git a b"
    assert known.extra == {"info": {"exit_status": "submitted"}}
    answers = only(Answered, events)
    assert [answer.model for answer in answers] == ["claude-sonnet-4"] * 2
    assert [answer.response.messages[0].parts[1]["id"] for answer in answers] == ["c1", "c2"]
    said = only(Said, events)
    assert [(event.message.role, event.prompt, event.copied) for event in said] == [
        ("system", "", False),
        ("user", "", True),
        ("user", "Fix it.", False),
        ("tool", "", False),
        ("tool", "", False),
    ]
    last = said[-1].message.parts[0]
    assert (last["id"], last["response"]) == ("c2", "Submitted.")
    assert [(took.call_id, took.duration) for took in only(Took, events)] == [
        ("c1", 500_000_000),
        ("c2", 250_000_000),
    ]


def test_without_tool_calls_the_action_is_read_out_of_the_step(tmp_path: Path) -> None:
    history = [
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": "Look.\n```\nls\n```", "action": "ls\n"},
        {"role": "user", "content": "a.py", "message_type": "observation"},
    ]

    events = told(tmp_path, history=history, trajectory=STEPS[:1])

    (answer,) = only(Answered, events)
    (asked,) = answer.asked
    assert (asked.arguments, asked.exact) == ('{"command":"ls"}', False)
    assert [event.answers for event in only(Said, events)] == ["", asked.call_id]


def test_without_a_history_the_steps_are_all_there_is(tmp_path: Path) -> None:
    query = [{"role": "system", "content": "Be good."}, {"role": "user", "content": "Fix it."}]
    steps = [{**STEPS[0], "query": query}, {**STEPS[1], "query": [*query, query[0]]}]

    events = told(tmp_path, trajectory=steps, environment="main")

    assert [answer.asked[0].arguments for answer in only(Answered, events)] == [
        '{"command":"ls"}',
        '{"command":"submit"}',
    ]
    assert [event.prompt for event in only(Said, events)] == ["", "Fix it.", "", ""]


def test_steps_that_had_to_be_asked_again_shift_nothing(tmp_path: Path) -> None:
    again = {"action": "", "observation": "", "response": "No action.", "execution_time": 0}

    events = told(tmp_path, history=HISTORY, trajectory=[STEPS[0], again, STEPS[1]])

    answers = only(Answered, events)
    said = [answer.response.messages[0].parts[0]["content"] for answer in answers]
    assert said == ["Look.", "No action.", "Submit."]
    (back,) = only(Back, events)
    before = events[: events.index(answers[1])]
    assert back.key == [event for event in before if isinstance(event, Said)][-1].key
    assert [(took.call_id, took.duration) for took in only(Took, events)] == [
        ("c1", 500_000_000),
        ("c2", 250_000_000),
    ]


def test_a_step_that_the_history_ends_before_is_told(tmp_path: Path) -> None:
    events = told(tmp_path, history=HISTORY[:-1], trajectory=STEPS)

    last = only(Answered, events)[-1]
    assert last.asked[0].arguments == '{"command":"submit"}'
    assert only(Said, events)[-1].message.parts[0]["response"] == "Submitted."


def test_what_swe_agent_says_itself_is_no_models(tmp_path: Path) -> None:
    gave_up = {"role": "assistant", "content": "Exit due to cost limit", "action": ""}

    events = told(tmp_path, history=[*HISTORY, gave_up], trajectory=STEPS)

    assert [answer.is_call for answer in only(Answered, events)] == [True, True, False]
