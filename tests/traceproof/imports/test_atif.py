from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import transcripts
from support.transcripts import only, read, stamp
from traceproof.imports.events import Answered, Known, Said, Started
from traceproof.imports.missing import Fact
from traceproof.recorder import semconv

AGENT = {"name": "someone", "version": "3", "model_name": "m-1"}


def told(tmp_path: Path, *steps: Any, version: str = "ATIF-v1.8", **more: Any) -> list:
    trajectory = {
        "schema_version": version,
        "session_id": "s",
        "agent": AGENT,
        "steps": list(steps),
    }
    return read(transcripts.document(tmp_path / "trajectory.json", {**trajectory, **more}))


def call(call_id: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_call_id": call_id, "function_name": "bash", "arguments": arguments}


@pytest.mark.parametrize("minor", range(9))
def test_every_version_is_known(tmp_path: Path, minor: int) -> None:
    step = {"step_id": 1, "source": "user", "message": "Do it."}

    events = told(tmp_path, step, version=f"ATIF-v1.{minor}")

    assert [event.prompt for event in only(Said, events)] == ["Do it."]
    assert only(Known, events)[0].attributes == {
        semconv.AGENT_NAME: "someone",
        semconv.AGENT_VERSION: "3",
        semconv.CONVERSATION_ID: "s",
    }


def test_a_step_of_the_agent_is_a_call_with_its_results(tmp_path: Path) -> None:
    results = [
        {"source_call_id": "b", "content": "two"},
        {"source_call_id": "a", "content": [{"type": "text", "text": "one"}]},
    ]
    step = {
        "source": "agent",
        "timestamp": stamp(5),
        "message": "So.",
        "reasoning_content": "Hm.",
        "tool_calls": [call("a", command="ls"), call("b")],
        "observation": {"results": results},
        "metrics": {
            "prompt_tokens": 9,
            "completion_tokens": 2,
            "cached_tokens": 4,
            "cost_usd": 0.1,
        },
        "extra": {"mood": "good"},
    }

    events = told(tmp_path, step)

    (answer,) = only(Answered, events)
    kinds = [part["type"] for part in answer.response.messages[0].parts]
    assert kinds == ["reasoning", "text", "tool_call", "tool_call"]
    assert (answer.model, answer.response.finish_reasons) == ("m-1", ["tool_call"])
    usage = answer.response.usage
    assert (usage.input, usage.output, usage.cache_read) == (9, 2, 4)
    assert answer.response.extra == {"extra": {"mood": "good"}, "metrics": {"cost_usd": 0.1}}
    said = [event.message.parts[0] for event in only(Said, events)]
    assert [part["id"] for part in said] == ["b", "a"]
    assert said[1]["response"] == [{"type": "text", "content": "one"}]


def test_one_result_without_a_name_is_the_only_call_s(tmp_path: Path) -> None:
    observed = {"results": [{"content": "one"}]}
    step = {"source": "agent", "message": "", "tool_calls": [call("a")], "observation": observed}
    bare = {"source": "agent", "message": "", "observation": observed}

    one, other = only(Said, told(tmp_path, step, bare))

    assert one.message.parts[0]["id"] == "a"
    assert (other.message.role, other.message.parts[0]["content"]) == ("user", "one")


def test_copied_context_and_steps_without_a_model_are_no_calls(tmp_path: Path) -> None:
    said = {"source": "agent", "message": "Before.", "tool_calls": [call("a")]}

    events = told(
        tmp_path,
        {"source": "user", "message": "Long ago.", "is_copied_context": True},
        {**said, "is_copied_context": True},
        {**said, "llm_call_count": 0},
    )

    assert [(event.prompt, event.copied) for event in only(Said, events)] == [("", True)] * 2
    assert [answer.is_call for answer in only(Answered, events)] == [False]


def test_sub_agents_are_under_the_call_whose_result_refers_to_them(tmp_path: Path) -> None:
    def child(name: str, **more: Any) -> dict[str, Any]:
        steps = [{"source": "agent", "message": f"{name} did it."}]
        return {
            "trajectory_id": name,
            "agent": {"name": name, "version": "1"},
            "steps": steps,
            **more,
        }

    reference = {"source_call_id": "a", "subagent_trajectory_ref": [{"trajectory_id": "one"}]}
    step = {
        "source": "agent",
        "message": "",
        "tool_calls": [call("a")],
        "observation": {"results": [reference]},
    }

    events = told(
        tmp_path, step, subagent_trajectories=[child("one", subagent_trajectories=[child("two")])]
    )

    assert [(event.agent_id, event.call_id) for event in only(Started, events)] == [
        ("one", "a"),
        ("two", ""),
    ]
    assert [answer.agent_id for answer in only(Answered, events)] == ["", "one", "two"]


def test_a_sub_agent_in_another_file_is_missing(tmp_path: Path) -> None:
    reference = {"session_id": "two", "trajectory_path": "two.json"}
    results = [{"source_call_id": "a", "subagent_trajectory_ref": [reference]}]
    step = {"source": "agent", "tool_calls": [call("a")], "observation": {"results": results}}

    assert only(Known, told(tmp_path, step))[-1].lacks == {Fact.SUB_AGENTS}


def test_images_tools_and_the_rest_are_kept(tmp_path: Path) -> None:
    picture = {"type": "image", "source": {"media_type": "image/png", "path": "a.png"}}
    function = {"name": "bash", "description": "Runs.", "parameters": {}}
    agent = {**AGENT, "tool_definitions": [{"type": "function", "function": function}]}

    events = told(
        tmp_path,
        {"source": "user", "message": [{"type": "text", "text": "See."}, picture]},
        agent=agent,
        notes="A note.",
        final_metrics={"total_steps": 1},
    )

    (said,), (known,) = only(Said, events), only(Known, events)
    assert said.message.parts[1] == {
        "type": "uri",
        "modality": "image",
        "uri": "a.png",
        "mime_type": "image/png",
    }
    assert known.tools == [{"type": "function", **function}]
    assert known.extra == {"notes": "A note.", "final_metrics": {"total_steps": 1}}
