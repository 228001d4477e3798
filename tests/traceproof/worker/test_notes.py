from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.worker import notes
from traceproof.worker.notes import Note

SEEN = "12:34"


def test_a_note_is_read_as_it_was_written_and_private(tmp_path: Path) -> None:
    trace = tmp_path / "a.otlp.jsonl.zst"
    note = Note(state="failed", seen=SEEN, tries=2, at=5.0, why="no engine")

    notes.write(trace, "verify", note)

    assert notes.read(trace, "verify") == note
    assert notes.read(trace, "push") is None
    path = notes.path_of(trace, "verify")
    assert (path.name, path.stat().st_mode & 0o777) == ("a.verify-worker.json", 0o600)


@pytest.mark.parametrize("text", [b"", b"{", b'{"state": "what", "seen": ""}', b"[" * 70_000])
def test_a_broken_note_is_none(tmp_path: Path, text: bytes) -> None:
    trace = tmp_path / "a.otlp.jsonl.zst"
    notes.path_of(trace, "verify").write_bytes(text)

    assert notes.read(trace, "verify") is None


def test_what_is_new_or_has_changed_is_due() -> None:
    assert notes.is_due(None, SEEN, 0)
    assert notes.is_due(Note(state="done", seen="other"), SEEN, 0)


@pytest.mark.parametrize("state", ["done", "refused"])
def test_what_is_done_or_cannot_be_is_settled(state: notes.State) -> None:
    note = Note(state=state, seen=SEEN)

    assert notes.is_settled(note, SEEN)
    assert not notes.is_due(note, SEEN, 1e12)


@pytest.mark.parametrize("state", ["begun", "failed"])
def test_what_failed_or_was_killed_is_tried_again_ever_later(state: notes.State) -> None:
    waits = []
    for tries in range(1, notes.MOST):
        note = Note(state=state, seen=SEEN, tries=tries, at=1000.0)
        assert not notes.is_due(note, SEEN, note.next - 1)
        assert notes.is_due(note, SEEN, note.next)
        waits.append(note.next - 1000)

    assert waits == [60, 120, 240, 480, 960, 1920, 3600]


def test_after_so_many_tries_it_is_left_alone() -> None:
    note = Note(state="failed", seen=SEEN, tries=notes.MOST, at=0.0)

    assert not notes.is_due(note, SEEN, 1e12)
    assert notes.is_due(note, "changed", 0)
