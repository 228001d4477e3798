from __future__ import annotations

import stat
from pathlib import Path

from traceproof.export import ledger
from traceproof.export.ledger import Gone, Ledger

KEY = ledger.key("trace", "endpoint", "how")


def test_what_was_noted_is_found_again_beside_the_trace(path: Path) -> None:
    Ledger(path).note(KEY, Gone("http://a", 3, "c"))
    Ledger(path).note("another", Gone("http://b", 1, "a"))

    assert Ledger(path).find(KEY) == Gone("http://a", 3, "c")
    assert Ledger(path).find("unknown") == Gone()
    (file,) = path.parent.iterdir()
    assert file.name == "20260102T030405Z-claude-0af765.pushed.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_broken_file_counts_for_nothing(path: Path) -> None:
    Ledger(path).path.write_text("{")

    assert Ledger(path).find(KEY) == Gone()


def test_a_place_that_cannot_be_written_is_a_problem_and_no_more(tmp_path: Path) -> None:
    kept = Ledger(tmp_path / "no folder" / "trace.otlp.jsonl.zst")

    kept.note(KEY, Gone("http://a", 3, "c"))

    assert "No such file or directory: an interrupted push begins anew" in kept.problem
    assert kept.find(KEY).spans == 3


def test_nothing_is_left_of_a_note_that_could_not_be_made(path: Path) -> None:
    kept = Ledger(path)
    kept.path.mkdir()

    kept.note(KEY, Gone("http://a", 3, "c"))

    assert "Is a directory" in kept.problem
    assert list(path.parent.iterdir()) == [kept.path]


def test_two_pushes_at_once_keep_each_others_notes(path: Path) -> None:
    one, other = Ledger(path), Ledger(path)

    one.note(KEY, Gone("http://a", 3, "c"))
    other.note("another", Gone("http://b", 1, "a", refused=1))

    assert Ledger(path).find(KEY).spans == 3
    assert Ledger(path).find("another") == Gone("http://b", 1, "a", 1)


def test_another_server_trace_or_way_of_telling_is_another_push() -> None:
    keys = {KEY, ledger.key("trace", "endpoint", "other"), ledger.key("trace", "other", "how")}

    assert len(keys) == 3
