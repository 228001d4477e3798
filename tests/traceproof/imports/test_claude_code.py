from __future__ import annotations

import json
from pathlib import Path

from support import transcripts
from support.transcripts import Claude, bash, only, read
from traceproof.imports.events import (
    Answered,
    Back,
    Decided,
    Forgot,
    Happened,
    Known,
    Ran,
    Said,
    Started,
)
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import wire
from traceproof.recorder import humanevents, semconv

REJECTED = "The user doesn't want to proceed with this tool use. The tool use was rejected."


def told(tmp_path: Path, claude: Claude, notes: wire.Notes | None = None) -> list:
    return read(transcripts.lines(tmp_path / "session.jsonl", claude.records), notes)


def test_an_answer_in_pieces_is_one_and_its_results_come_after_it(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    claude.answers("I will.")
    first = claude.answers(bash("a", "true"))
    claude.hears("a", "", result={"stdout": "", "stderr": ""})
    claude.answers(bash("b", "false"), parentUuid=first)
    claude.hears("b", "Exit code 1", is_error=True, result="Error: Exit code 1")

    events = told(tmp_path, claude)

    (answer,) = only(Answered, events)
    (message,) = answer.response.messages
    assert [part["type"] for part in message.parts] == ["text", "tool_call", "tool_call"]
    assert answer.response.usage.input == 10
    assert answer.starts["a"] < answer.starts["b"] <= answer.time
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Known", "Said", "Answered", "Ran", "Said", "Ran", "Said"]
    assert [(ran.script, ran.exit_code) for ran in only(Ran, events)] == [("true", 0), ("false", 1)]
    assert only(Back, events) == []


def test_the_session_is_told_once(tmp_path: Path) -> None:
    claude = Claude(gitBranch="main")
    claude.says("One.")
    claude.says("Two.")

    (known,) = only(Known, told(tmp_path, claude))

    assert known.attributes == {
        semconv.AGENT_VERSION: "2.1.197",
        semconv.CONVERSATION_ID: transcripts.SESSION,
        semconv.PROCESS_WORKING_DIRECTORY: "/work",
        semconv.VCS_BRANCH: "main",
    }


def test_what_the_agent_adds_is_no_prompt(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    claude.says("<system-reminder>Be good.</system-reminder>")
    claude.says("What a skill says.", isMeta=True)
    claude.add("attachment", attachment={"type": "todo", "content": []})

    said = only(Said, told(tmp_path, claude))

    assert [event.prompt for event in said] == ["Do it.", "", "", ""]
    assert said[-1].message.parts[0]["type"] == "attachment"


def test_what_people_do_beside_prompts_are_events(tmp_path: Path) -> None:
    claude = Claude()
    claude.records.append({"type": "queue-operation", "operation": "enqueue", "content": "Do it."})
    claude.records[0]["uuid"] = None
    claude.says("Do it.")
    claude.add("queue-operation", operation="enqueue", content="And that.")
    claude.says([{"type": "text", "text": "[Request interrupted by user]"}])
    name = "<command-name>/cost</command-name>\n<command-args></command-args>"
    claude.add("system", subtype="local_command", content=name)
    claude.says("<bash-input>ls -l</bash-input>")

    events = only(Happened, told(tmp_path, claude))

    assert [(event.name, event.content) for event in events] == [
        (humanevents.QUEUED, "And that."),
        (humanevents.INTERRUPTION, "[Request interrupted by user]"),
        (humanevents.SLASH_COMMAND, "/cost"),
        (humanevents.SLASH_COMMAND, "!ls -l"),
    ]


def test_going_back_to_an_earlier_prompt_leaves_the_rest_behind(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("One.")
    kept = claude.answers("First.", key="msg_1")
    claude.says("Two.")
    claude.answers("Second.", key="msg_2")
    claude.says("Another two.", parentUuid=kept)
    claude.answers("Third.", key="msg_3")

    events = told(tmp_path, claude)

    (back,) = only(Back, events)
    assert back.key == "msg_1"
    at = events.index(back)
    assert isinstance(events[at - 1], Answered)
    assert isinstance(events[at + 1], Said)


def test_results_in_any_order_are_no_going_back(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    first = claude.answers(bash("a", "true"))
    second = claude.answers(bash("b", "true"))
    claude.hears("b", "b", parentUuid=second)
    claude.hears("a", "a", parentUuid=first)
    claude.answers("Done.", key="msg_2", parentUuid="line-3")

    assert only(Back, told(tmp_path, claude)) == []


def test_circles_and_strangers_as_parents_lead_nowhere(tmp_path: Path) -> None:
    notes, claude = wire.Notes(), Claude()
    claude.says("One.", parentUuid="line-0")
    claude.answers("First.", parentUuid="line-5")
    claude.says("Two.", parentUuid="nobody")
    claude.records[0]["parentUuid"] = "line-2"

    events = told(tmp_path, claude, notes)

    assert len(only(Said, events)) == 2
    assert notes.lines() == ["a line goes on from one that is not there before it (2 times)"]


def test_a_line_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    notes, claude = wire.Notes(), Claude()
    claude.says("One.")
    claude.records.append(dict(claude.records[0]))

    assert len(only(Said, told(tmp_path, claude, notes))) == 1
    assert notes.lines() == ["a line is there twice"]


def test_after_compaction_the_conversation_begins_anew(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("One.")
    claude.answers("First.")
    claude.add("system", subtype="compact_boundary", parentUuid=None)
    claude.says("A summary.", isCompactSummary=True)
    claude.says("Two.")

    events = told(tmp_path, claude)

    assert [type(event).__name__ for event in events][2:] == [
        "Answered",
        "Forgot",
        "Happened",
        "Forgot",
        "Said",
        "Said",
    ]
    assert [event.prompt for event in only(Said, events)] == ["One.", "", "Two."]
    assert only(Forgot, events)


def test_approvals_are_told_by_the_mode_and_by_results(tmp_path: Path) -> None:
    def approvals(mode: str, entrypoint: str) -> list[tuple[str, str]]:
        claude = Claude(entrypoint=entrypoint)
        claude.says("Do it.", permissionMode=mode)
        claude.answers(bash("a", "true"), bash("b", "rm x"), bash("c", "what"))
        claude.hears("a", "", result={"stdout": ""})
        claude.hears("b", REJECTED, is_error=True, result="User rejected tool use")
        claude.hears("c", "<tool_use_error>No such tool</tool_use_error>", is_error=True)
        found = only(Decided, told(tmp_path, claude))
        return [(event.call_id, event.approval) for event in found]

    assert approvals("default", "sdk-cli") == [("a", "auto"), ("b", "denied")]
    assert approvals("bypassPermissions", "cli") == [("a", "bypassed"), ("b", "denied")]
    assert approvals("default", "cli") == [("b", "denied")]


def test_what_was_interrupted_was_not_denied(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    claude.answers(bash("a", "sleep 9"))
    claude.hears("a", REJECTED, is_error=True, result="User rejected tool use")
    told_so = [{"type": "text", "text": "[Request interrupted by user for tool use]"}]
    claude.says(told_so, interruptedMessageId="msg_1")

    events = told(tmp_path, claude)

    assert only(Decided, events) == []
    assert [event.name for event in only(Happened, events)] == [humanevents.INTERRUPTION]


def test_an_error_of_the_api_is_a_failed_call_and_a_made_up_answer_none(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    synthetic = {"model": "<synthetic>"}
    claude.answers("API Error: 529", key="a", message=synthetic, isApiErrorMessage=True)
    claude.answers("No response requested.", key="b", message=synthetic)

    failed, made_up = only(Answered, told(tmp_path, claude))

    assert (failed.state, failed.is_call, failed.model) == ("failed", True, "")
    assert failed.response.error is not None
    assert failed.response.error.message == "API Error: 529"
    assert not made_up.is_call


def test_sub_agents_are_read_from_files_of_their_own(tmp_path: Path) -> None:
    main, sub = Claude(), Claude(isSidechain=True, agentId="abc")
    main.says("Do it.", permissionMode="bypassPermissions")
    main.answers({"type": "tool_use", "id": "t1", "name": "Agent", "input": {"prompt": "Part."}})
    main.hears("t1", "Done.", result={"agentId": "abc"})
    sub.says("Part.")
    sub.answers(bash("s1", "true"))
    sub.hears("s1", "", result={"stdout": ""})
    path = transcripts.lines(tmp_path / f"{transcripts.SESSION}.jsonl", main.records)
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    transcripts.lines(folder / "agent-abc.jsonl", sub.records)

    events = read(path)

    (started,) = only(Started, events)
    assert (started.agent_id, started.call_id, started.name) == ("abc", "t1", "sub-agent")
    assert [event.agent_id for event in only(Answered, events)] == ["", "abc"]
    assert [event.approval for event in only(Decided, events)] == ["bypassed"] * 2

    meta = {"agentType": "Explore", "toolUseId": "t1", "spawnDepth": 1}
    (folder / "agent-abc.meta.json").write_text(json.dumps(meta))
    (started,) = only(Started, read(path))
    assert started.name == "Explore"


def test_sub_agents_of_older_versions_stand_beside_or_within_the_session(tmp_path: Path) -> None:
    main = Claude()
    main.says("Do it.")
    main.says("Part.", isSidechain=True, parentUuid=None)
    main.answers("Done.", key="msg_2", isSidechain=True)
    path = transcripts.lines(tmp_path / f"{transcripts.SESSION}.jsonl", main.records)
    beside, other = Claude(agentId="abc"), Claude(agentId="xyz", sessionId="another")
    beside.says("Part two.")
    other.says("Not ours.")
    transcripts.lines(tmp_path / "agent-abc.jsonl", beside.records)
    transcripts.lines(tmp_path / "agent-xyz.jsonl", other.records)

    said = only(Said, read(path))

    assert [(event.agent_id, event.prompt) for event in said] == [
        ("", "Do it."),
        ("sidechain-1", "Part."),
        ("abc", "Part two."),
    ]


def test_sub_agents_whose_lines_stand_within_the_session_do_not_mix_up(tmp_path: Path) -> None:
    main = Claude()
    main.says("Do both.")
    asked = [
        {"type": "tool_use", "id": name, "name": "Task", "input": {"prompt": name}}
        for name in ("one", "two")
    ]
    first, second = main.answers(asked[0]), main.answers(asked[1])
    aside = {"isSidechain": True}
    starts = [main.says(name, parentUuid=None, **aside) for name in ("one", "two")]
    for start, key in zip(starts, ("msg_2", "msg_3"), strict=True):
        main.answers(f"I am {key}.", key=key, parentUuid=start, **aside)
    main.hears("one", "Done.", parentUuid=first)
    main.hears("two", "Done.", parentUuid=second)

    events = told(tmp_path, main)

    assert [(e.agent_id, e.call_id, e.join) for e in only(Started, events)] == [
        ("sidechain-1", "one", "inferred"),
        ("sidechain-2", "two", "inferred"),
    ]
    answers = [(e.agent_id, e.response.messages[0].parts[0]) for e in only(Answered, events)]
    assert [(agent, part.get("content")) for agent, part in answers] == [
        ("", None),
        ("sidechain-1", "I am msg_2."),
        ("sidechain-2", "I am msg_3."),
    ]
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("Answered") < kinds.index("Started")


def test_a_sub_agent_whose_file_is_not_there_is_missing(tmp_path: Path) -> None:
    notes, claude = wire.Notes(), Claude()
    claude.says("Do it.")
    asked = {"type": "tool_use", "id": "t", "name": "Agent", "input": {"prompt": "Part."}}
    claude.answers(asked)
    claude.hears("t", "Done.", result={"agentId": "abc", "status": "completed"})

    events = told(tmp_path, claude, notes)

    assert only(Known, events)[-1].lacks == {Fact.SUB_AGENTS}
    assert notes.lines() == ["a sub-agent's file is not there"]


def test_what_was_typed_meanwhile_is_a_prompt_once_the_agent_has_it(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Do it.")
    claude.answers(bash("a", "true"))
    claude.add("queue-operation", operation="enqueue", content="And that.")
    claude.add("queue-operation", operation="remove")
    claude.hears("a", "", result={"stdout": "", "stderr": ""})
    queued = {"type": "queued_command", "prompt": "And that.", "commandMode": "prompt"}
    claude.add("attachment", attachment=queued)
    claude.add("attachment", attachment={**queued, "commandMode": "task-notification"})
    claude.add("attachment", attachment={**queued, "origin": {"kind": "peer"}})

    events = told(tmp_path, claude)

    assert [e.prompt for e in only(Said, events) if e.prompt] == ["Do it.", "And that."]
    assert [e.name for e in only(Happened, events)] == [humanevents.QUEUED]


def test_what_is_odd_in_one_answer_is_not_said_of_the_next(tmp_path: Path) -> None:
    notes, claude = wire.Notes(), Claude()
    claude.says("One.")
    claude.answers("Odd.", key="msg_1", message={"usage": {"input_tokens": "many"}})
    claude.answers("Plain.", key="msg_2")
    claude.records.insert(0, "nonsense")

    odd, plain = only(Answered, told(tmp_path, claude, notes))

    assert odd.response.problems == ["input_tokens is not a count"]
    assert plain.response.problems == []
    assert notes.lines() == ["a line is no JSON object", "input_tokens is not a count"]


def test_lines_nobody_knows_are_counted(tmp_path: Path) -> None:
    notes, claude = wire.Notes(), Claude()
    claude.says("One.")
    claude.add("news")
    claude.add("news")
    claude.records += ["{broken", "[1]", "null"]

    assert len(only(Said, told(tmp_path, claude, notes))) == 1
    assert notes.lines() == [
        "a line of unknown kind 'news' (2 times)",
        "a line is no JSON object (3 times)",
    ]
