from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from traceproof.replay.runs import Case, Run, RunResult, Session, SessionResult
from traceproof.replay.runsfile import Entry, RunsFile, RunsWriter


class Asked(msgspec.Struct):
    what: str


ASKED = Asked("everything")


def entry(number: int, message: str = "") -> Entry:
    case = Case(test="t.py::test", outcome="failed", message=message)
    run = Run(id=f"final/same/{number}", tree="final", axis="same", sessions=(Session(seed=1),))
    return Entry(run, RunResult(run=run.id, sessions=(SessionResult(cases=(case,)),)))


def kept(path: Path, *entries: Entry) -> Path:
    with RunsWriter(path, ASKED) as writer:
        for one in entries:
            writer.add(one.run, one.result)
        writer.keep()
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    entries = [entry(number, "é" * 10_000) for number in range(300)]

    path = kept(tmp_path / "a.runs.jsonl.zst", *entries)

    with RunsFile(path) as runs:
        assert runs.asked(Asked) == ASKED
        assert list(runs.entries()) == entries
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


def test_what_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    with RunsWriter(tmp_path / "a", ASKED) as writer:
        writer.add(entry(1).run, entry(1).result)
        assert [path.name for path in tmp_path.iterdir()] == [".a"]

    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_text_that_is_no_unicode(tmp_path: Path) -> None:
    with RunsFile(kept(tmp_path / "a", entry(1, "caf\udce9\n"))) as runs:
        (found,) = runs.entries()

    assert found.result.sessions[0].cases[0].message == "caf?\n"


def test_its_digest_is_told(tmp_path: Path) -> None:
    with RunsWriter(tmp_path / "a", ASKED) as writer:
        told = writer.keep()

    assert told == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()


def test_two_cannot_write_one_file(tmp_path: Path) -> None:
    with (
        RunsWriter(tmp_path / "a", ASKED),
        pytest.raises(BlockingIOError, match="another verify is at work"),
    ):
        RunsWriter(tmp_path / "a", ASKED)


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".a").write_bytes(b"x" * 10_000)

    assert list(RunsFile(kept(tmp_path / "a", entry(1))).entries()) == [entry(1)]


@pytest.mark.parametrize("data", [b"", b"{}\n", b"\x28\xb5\x2f\xfd\x00\x00", b"\xff" * 100])
def test_another_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)

    with pytest.raises(ValueError, match=str(path)):
        RunsFile(path)


def test_a_damaged_file(tmp_path: Path) -> None:
    path = kept(tmp_path / "a", *map(entry, range(50)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(ValueError, match=str(path)):
        list(RunsFile(path).entries())


def test_a_newer_file(tmp_path: Path) -> None:
    with RunsFile(kept(tmp_path / "a")) as runs, pytest.raises(ValueError, match="damaged"):
        runs.asked(Entry)
