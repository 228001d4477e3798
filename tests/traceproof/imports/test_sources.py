from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import transcripts
from support.transcripts import SESSION, Claude, Codex
from traceproof.imports import sources
from traceproof.imports.files import TranscriptFile
from traceproof.proxy.dialects import wire

DOCUMENTS = {
    "atif": {"schema_version": "ATIF-v1.0", "steps": []},
    "mini-swe-agent": {"messages": [], "info": {"mini_version": "2"}},
    "swe-agent": {"trajectory": [], "info": {}},
}


def found(path: Path) -> str:
    return sources.find(TranscriptFile(path, wire.Notes())).name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_told_by_its_members(tmp_path: Path, name: str) -> None:
    assert found(transcripts.document(tmp_path / "file", DOCUMENTS[name])) == name


def test_lines_are_told_by_their_beginning(tmp_path: Path) -> None:
    claude = Claude()
    claude.says("Hi.")

    assert found(transcripts.lines(tmp_path / "a", ["junk", *claude.records])) == "claude-code"
    assert found(transcripts.lines(tmp_path / "b", Codex().records)) == "codex"
    assert found(transcripts.lines(tmp_path / "c", [{"type": "summary", "leafUuid": "x"}])) == (
        "claude-code"
    )


def test_other_documents_are_none(tmp_path: Path) -> None:
    others: list[dict[str, Any]] = [
        {"schema_version": "ATIF-v2.0"},
        {"schema_version": 5},
        {"messages": []},
    ]
    for value in others:
        with pytest.raises(ValueError, match="not a transcript of codex, claude-code"):
            found(transcripts.document(tmp_path / "file", value))


def test_a_sub_agent_s_file_goes_with_its_session(tmp_path: Path) -> None:
    main = transcripts.lines(tmp_path / f"{SESSION}.jsonl", [])
    folder = main.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    inside = transcripts.lines(folder / "agent-a.jsonl", [])
    beside = transcripts.lines(tmp_path / "agent-b.jsonl", [{"sessionId": SESSION}])
    stranger = transcripts.lines(tmp_path / "agent-c.jsonl", [{"sessionId": "gone"}, "x"])
    thread = transcripts.lines(tmp_path / f"rollout-1-{SESSION}.jsonl", Codex().records)
    spawned = Codex(id="t2", session_id=SESSION, parent_thread_id=SESSION)
    child = transcripts.lines(tmp_path / "rollout-2-t2.jsonl", spawned.records)

    assert [sources.session_of(path) for path in (inside, beside, child)] == [main, main, thread]
    assert [sources.session_of(path) for path in (main, stranger, thread)] == [None] * 3
