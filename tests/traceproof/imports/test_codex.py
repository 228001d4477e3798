from __future__ import annotations

from pathlib import Path

from support import transcripts
from support.transcripts import SESSION, Codex, only, read
from traceproof.imports.events import Answered, Decided, Forgot, Happened, Known, Ran, Said, Started
from traceproof.proxy.dialects import wire
from traceproof.recorder import humanevents, semconv

ENDED = "Chunk ID: 1\nProcess exited with code 3\nOutput:\nno"
ROOT = "/root"
"""What the main agent calls itself."""
USAGE = {"input_tokens": 9, "cached_input_tokens": 4, "output_tokens": 2}


def told(tmp_path: Path, codex: Codex, notes: wire.Notes | None = None) -> list:
    return read(transcripts.lines(tmp_path / f"rollout-1-{SESSION}.jsonl", codex.records), notes)


def test_the_first_line_tells_the_session(tmp_path: Path) -> None:
    git = {"commit_hash": "abc", "branch": "main", "repository_url": "https://example.org/r"}
    codex = Codex(git=git, base_instructions={"text": "Be brief."})
    codex.says("Do it.")

    known = only(Known, told(tmp_path, codex))[0]

    assert known.attributes == {
        semconv.CONVERSATION_ID: SESSION,
        semconv.AGENT_VERSION: "0.169.0",
        semconv.PROCESS_WORKING_DIRECTORY: "/work",
        semconv.VCS_REVISION: "abc",
        semconv.VCS_BRANCH: "main",
        semconv.VCS_URL: "https://example.org/r",
    }
    assert known.system == [{"type": "text", "content": "Be brief."}]


def test_items_up_to_a_usage_record_are_one_answer(tmp_path: Path) -> None:
    codex = Codex()
    codex.add("turn_context", {"model": "gpt-5.5"})
    codex.says("Do it.")
    codex.item("reasoning", summary=[{"type": "summary_text", "text": "Hm."}])
    codex.calls("a", "false")
    codex.calls("b", "true")
    codex.add("token_usage_record", {"response_id": "resp_1", "usage": USAGE})
    codex.hears("a", ENDED)
    codex.hears("b", "Chunk ID: 2\nProcess exited with code 0\nOutput:\n")
    codex.answers("Done.")

    events = told(tmp_path, codex)

    first, second = only(Answered, events)
    assert (first.model, first.provider, first.response.id) == ("gpt-5.5", "openai", "resp_1")
    assert (first.response.usage.input, first.response.usage.cache_read) == (9, 4)
    assert [part["type"] for part in first.response.messages[0].parts] == [
        "reasoning",
        "tool_call",
        "tool_call",
    ]
    assert second.response.messages[0].parts[0]["content"] == "Done."
    ran = only(Ran, events)
    assert [(one.call_id, one.script, one.exit_code) for one in ran] == [
        ("a", "false", 3),
        ("b", "true", 0),
    ]


def test_in_older_versions_counts_come_after_results(tmp_path: Path) -> None:
    codex = Codex()
    codex.says("Do it.")
    codex.calls("a", "false")
    codex.hears("a", '{"output":"no","metadata":{"exit_code":7,"duration_seconds":0.1}}')
    codex.event("token_count", info={"last_token_usage": USAGE})
    codex.event("token_count", info={"last_token_usage": {"input_tokens": 1}})
    codex.answers("Done.")

    events = told(tmp_path, codex)

    first, second = only(Answered, events)
    assert (first.response.usage.input, second.response.usage.input) == (9, None)
    assert [event.exit_code for event in only(Ran, events)] == [7]
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("Answered") < kinds.index("Ran")


def test_lines_of_the_first_versions_stand_bare(tmp_path: Path) -> None:
    said = [{"type": "input_text", "text": "Do it."}]
    path = transcripts.lines(
        tmp_path / "rollout-old.jsonl",
        [
            {"id": SESSION, "timestamp": transcripts.stamp(1), "instructions": "Be brief."},
            {"record_type": "state"},
            {"type": "message", "role": "user", "content": said},
        ],
    )

    events = read(path)

    assert [event.prompt for event in only(Said, events)] == ["Do it."]
    assert only(Known, events)[0].system == [{"type": "text", "content": "Be brief."}]


def test_a_command_that_the_agent_tells_of_is_told_once(tmp_path: Path) -> None:
    codex = Codex()
    codex.says("Do it.")
    codex.calls("a", "false")
    item = {
        "type": "CommandExecution",
        "id": "a",
        "command": ["/bin/bash", "-lc", "false"],
        "cwd": "file:///work/a%20b",
        "aggregated_output": "no",
        "exit_code": 1,
        "duration": {"secs": 1, "nanos": 5},
    }
    codex.event("item_completed", item=item)
    codex.hears("a", ENDED)

    (ran,) = only(Ran, told(tmp_path, codex))

    assert (ran.script, ran.args, ran.cwd) == ("false", ("/bin/bash", "-lc", "false"), "/work/a b")
    assert (ran.exit_code, ran.output, ran.ended - ran.started) == (1, "no", 10**9 + 5)


def test_approvals_follow_from_the_policy_and_from_results(tmp_path: Path) -> None:
    def approvals(policy: str, sandbox: str) -> list[str]:
        codex = Codex()
        context = {"approval_policy": policy, "sandbox_policy": {"type": sandbox}}
        codex.add("turn_context", context)
        codex.says("Do it.")
        codex.calls("a", "true")
        codex.calls("b", "true")
        codex.hears("a", ENDED)
        codex.hears("b", "approval policy is Never; reject command — you cannot ask")
        return [event.approval for event in only(Decided, told(tmp_path, codex))]

    assert approvals("never", "danger-full-access") == ["bypassed", "denied"]
    assert approvals("never", "workspace-write") == ["auto", "denied"]
    assert approvals("on-request", "workspace-write") == ["denied"]


def test_interruptions_and_compactions_are_events(tmp_path: Path) -> None:
    codex = Codex()
    codex.says("Do it.")
    codex.answers("Half")
    codex.event("turn_aborted", reason="interrupted")
    kept = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "So."}]}
    codex.add("compacted", {"message": "A summary.", "replacement_history": [kept]})
    codex.says("Go on.")

    events = told(tmp_path, codex)

    assert [(event.name, event.content) for event in only(Happened, events)] == [
        (humanevents.INTERRUPTION, "interrupted"),
        (humanevents.COMPACTION, ""),
    ]
    assert len(only(Forgot, events)) == 1
    assert [event.prompt for event in only(Said, events)] == ["Do it.", "", "Go on."]


def test_a_sub_agent_s_file_repeats_its_parent_s_lines_which_are_context(tmp_path: Path) -> None:
    codex = Codex(session_id=SESSION)
    codex.says("Do it.")
    codex.calls("s1", "spawn")
    activity = {"type": "SubAgentActivity", "kind": "started", "id": "s1", "agent_thread_id": "t2"}
    codex.event("item_completed", item=activity)
    codex.hears("s1", "{}")
    spawned = {"parent_thread_id": SESSION, "depth": 1}
    child = Codex(
        id="t2",
        session_id=SESSION,
        agent_path=f"{ROOT}/part",
        source={"subagent": {"thread_spawn": spawned}},
        subagent_history_start_ordinal=3,
    )
    child.says("Do it.")
    child.calls("s1", "spawn")
    child.answers("Mine.")
    for number, line in enumerate(child.records):
        line["ordinal"] = number
    transcripts.lines(tmp_path / "rollout-2-t2.jsonl", child.records)
    transcripts.lines(tmp_path / "rollout-3-x.jsonl", Codex(id="x").records)

    events = told(tmp_path, codex)

    (started,) = only(Started, events)
    assert (started.agent_id, started.call_id) == (f"{ROOT}/part", "s1")
    mine = [event for event in only(Answered, events) if event.agent_id]
    assert [event.response.messages[0].parts[0]["content"] for event in mine] == ["Mine."]
    assert [event.copied for event in only(Said, events) if event.agent_id] == [True, True]


def test_lines_nobody_knows_are_counted(tmp_path: Path) -> None:
    notes, codex = wire.Notes(), Codex()
    codex.says("One.")
    codex.add("news", {})
    codex.records.append("{cut")

    told(tmp_path, codex, notes)

    assert notes.lines() == ["a line of unknown kind 'news'", "a line is no JSON object"]
