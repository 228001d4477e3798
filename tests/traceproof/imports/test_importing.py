"""From a transcript to a trace in the store."""

from __future__ import annotations

import fcntl
import json
import stat
from pathlib import Path
from typing import Any

import pytest

import traceproof
from support import transcripts
from support.transcripts import Claude, bash
from traceproof.imports import importing
from traceproof.imports.importing import Imported, Importer
from traceproof.imports.missing import Fact
from traceproof.recorder import semconv
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.store import Store
from traceproof.trace import Trace

TOKEN = "ghp_" + "aB3dE6gH9j" * 3 + "aB3dE6"
KEPT = "made-up-password-77"


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    redactor = Redactor(PATTERNS)
    redactor.add("DB_PASSWORD", KEPT)
    return Importer(Store(tmp_path / "store"), redactor)


def session() -> Claude:
    claude = Claude(entrypoint="sdk-cli")
    claude.says("Do it.", permissionMode="default")
    claude.answers("So.", bash("toolu_01", f"echo {TOKEN}"))
    result = {"stdout": TOKEN, "stderr": ""}
    claude.hears("toolu_01", f"{TOKEN} {KEPT}", result=result, is_error=False)
    claude.answers("Done.", key="msg_2", message={"stop_reason": "end_turn"})
    return claude


def written(tmp_path: Path, claude: Claude | None = None) -> Path:
    path = tmp_path / f"{transcripts.SESSION}.jsonl"
    return transcripts.lines(path, (claude or session()).records)


def opened(done: Imported) -> Trace:
    return traceproof.open_trace(done.trace)


def test_a_trace_says_what_it_was_made_from(importer: Importer, tmp_path: Path) -> None:
    path = written(tmp_path)

    done = importer.run(path)

    assert (done.source, done.prompts, done.calls, done.tool_calls) == ("claude-code", 1, 2, 1)
    assert stat.S_IMODE(Path(done.trace).stat().st_mode) == 0o600
    with opened(done) as trace:
        facts = trace.facts
        assert facts[semconv.ORIGIN] == "imported"
        assert facts[semconv.CONSENT]["how"] == "ran traceproof import"
        assert facts[semconv.IMPORT_SOURCE] == "claude-code"
        (file,) = facts[semconv.IMPORT_FILES]
        assert (file["name"], file["bytes"]) == (path.name, path.stat().st_size)
        assert facts[semconv.IMPORT_TIMES] == "told"
        assert facts[semconv.IMPORT_MISSING] == done.missing
        assert facts[semconv.TASK_ID].startswith("auto-")
        assert trace.agent.name == "claude-code"
        assert trace.agent.version == "2.1.197"
        assert (trace.exit_code, trace.problems) == (None, [])
        assert trace.duration == 3.0


def test_turns_tool_calls_and_conversation_are_there(importer: Importer, tmp_path: Path) -> None:
    with opened(importer.run(written(tmp_path))) as trace:
        first, last = trace.turns()
        (call,) = first.tool_calls
        assert (call.id, call.name, call.is_error, call.approval) == (
            "toolu_01",
            "Bash",
            False,
            "auto",
        )
        assert [message.role for message in last.input] == ["user", "assistant", "tool"]
        assert last.finish_reasons == ["stop"]
        assert [message.role for message in trace.conversation()][-1] == "assistant"
        (command,) = [
            record.span
            for record in trace.spans()
            if record.span.attributes.get(semconv.EVIDENCE) == "inferred"
        ]
        assert command.parent_id == call.span_id
        assert command.attributes[semconv.PROCESS_EXIT_CODE] == 0


def test_secrets_are_masked_by_shape_and_by_value_and_ids_stay(
    importer: Importer, tmp_path: Path
) -> None:
    done = importer.run(written(tmp_path))

    with opened(done) as trace:
        everything = json.dumps([str(record.span) for record in trace.spans()])
        (call,) = next(iter(trace.turns())).tool_calls
    assert TOKEN not in everything
    assert KEPT not in everything
    assert call.arguments == {"command": "echo <SECRET:GITHUB_TOKEN>"}
    assert call.result == "<SECRET:GITHUB_TOKEN> <SECRET:DB_PASSWORD>"
    assert call.state == "answered"


def test_the_same_file_again_is_noticed(importer: Importer, tmp_path: Path) -> None:
    path = written(tmp_path)
    first = importer.run(path)

    second = importer.run(path)
    third = importer.run(path, again=True)

    assert (second.known, second.trace) == (True, first.trace)
    assert not third.known
    assert third.trace != first.trace
    Path(first.trace).unlink()
    assert importer.run(path).trace == third.trace
    Path(third.trace).unlink()
    assert not importer.run(path).known


def test_what_is_missing_depends_on_what_is_told(importer: Importer, tmp_path: Path) -> None:
    nothing = Claude()
    nothing.says("Do it.")
    nothing.answers("No.", message={"usage": None, "model": "m"})

    done = importer.run(written(tmp_path, nothing))

    assert set(done.missing) <= set(Fact)
    assert {"usage", "approvals", "system_prompt", "exact_bytes", "workspace"} <= set(done.missing)
    assert "exit_codes" not in done.missing  # no command, no exit code


def test_without_times_the_order_is_kept(importer: Importer, tmp_path: Path) -> None:
    claude = session()
    for record in claude.records:
        del record["timestamp"]

    done = importer.run(written(tmp_path, claude))

    assert done.times == "order"
    assert "times" in done.missing
    with opened(done) as trace:
        first, last = trace.turns()
        assert first.started < last.started


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"[]", b"{\n", b'{"a":1}\n{"b":2}\n'])
def test_what_is_no_transcript_is_refused_and_leaves_nothing(
    importer: Importer, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"not a transcript of|neither JSON Lines") as caught:
        importer.run(path)

    assert "\n" not in str(caught.value)
    assert list((tmp_path / "store" / "traces").iterdir()) == []


def test_a_transcript_with_nothing_in_it_is_refused(importer: Importer, tmp_path: Path) -> None:
    path = transcripts.lines(tmp_path / "x.jsonl", [{"type": "mode", "sessionId": "s"}])

    with pytest.raises(ValueError, match="nobody says anything"):
        importer.run(path)

    assert list((tmp_path / "store" / "traces").iterdir()) == []


def test_the_format_may_be_named(importer: Importer, tmp_path: Path) -> None:
    path = written(tmp_path)

    with pytest.raises(LookupError, match="--source is one of codex, claude-code, atif"):
        importer.run(path, "nobody's")
    with pytest.raises(ValueError, match="nobody says anything"):
        importer.run(path, "codex")
    assert importer.run(path, "claude-code").calls == 2


def test_a_failure_while_writing_leaves_no_trace(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "_whole", fail)

    with pytest.raises(OSError, match="No space"):
        importer.run(written(tmp_path))

    assert list((tmp_path / "store" / "traces").iterdir()) == []


def test_what_a_killed_import_left_is_removed_and_what_is_under_way_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.create()
    left, busy = (store.traces_path / f".importing-{name}.otlp.jsonl.zst" for name in "ab")
    left.touch()
    with busy.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        Importer(store, Redactor())

        assert (left.exists(), busy.exists()) == (False, True)


def test_sub_agents_and_interruptions_have_their_places(importer: Importer, tmp_path: Path) -> None:
    main, sub = Claude(), Claude(isSidechain=True, agentId="abc")
    main.says("Do it.")
    main.answers({"type": "tool_use", "id": "t1", "name": "Agent", "input": {"prompt": "Part."}})
    main.hears("t1", "Done.", result={"agentId": "abc"})
    main.says("[Request interrupted by user]")
    sub.says("Part.")
    sub.answers("Done.", key="msg_9")
    path = written(tmp_path, main)
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    transcripts.lines(folder / "agent-abc.jsonl", sub.records)

    with opened(importer.run(path)) as trace:
        (turn,) = trace.turns()
        (call,) = turn.tool_calls
        (agent,) = call.sub_agents()
        assert (agent.join, [prompt.text for prompt in agent.prompts]) == ("exact", ["Part."])
        assert [turn.text for turn in agent.turns()] == ["Done."]
        events = [event.name for event in trace.agent.span().events]
    assert events == ["traceproof.user_prompt", "traceproof.interruption"]
