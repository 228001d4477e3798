from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from traceproof.recorder.store import Store
from traceproof.verifying.files import files_for, find_verdict
from traceproof.verifying.subject import Origin

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_traces_verdict_is_beside_it(tmp_path: Path, store: Store) -> None:
    origin = Origin(
        kind="trace", trace=str(tmp_path / "x.otlp.jsonl.zst"), base_tree="a", final_tree="b"
    )

    kept = files_for(origin, store, None)

    assert kept[:2] == (tmp_path / "x.verdict.json", tmp_path / "x.runs.jsonl.zst")
    assert kept.stem == tmp_path / "x"
    assert {path.parent for path in kept} == {tmp_path}
    assert files_for(origin, store, tmp_path / "out").verdict == tmp_path / "out/x.verdict.json"


def test_without_a_trace_it_is_in_the_store(store: Store) -> None:
    origin = Origin(
        kind="repository", repository="https://a.example/x/ y.git", commit=COMMIT,
        base_tree="a" * 40, final_tree="a" * 40,
    )  # fmt: skip

    kept = files_for(origin, store, None)
    patched = files_for(msgspec.structs.replace(origin, final_tree="b" * 40), store, None)

    assert kept.verdict == store.path / "verdicts" / "_y-0123456789ab.verdict.json"
    assert patched.verdict.name == "_y-0123456789ab-bbbbbbbbbbbb.verdict.json"
    assert kept.verdict.parent.stat().st_mode & 0o777 == 0o700


def test_a_verdict_is_found_by_its_traces_name_or_as_the_newest(store: Store) -> None:
    store.create()
    with pytest.raises(FileNotFoundError, match="no verdict in"):
        find_verdict("", store)
    trace = store.traces_path / "20260101T000000Z-agent-abc.otlp.jsonl.zst"
    trace.touch()
    with pytest.raises(FileNotFoundError, match="there is no verdict"):
        find_verdict("abc", store)

    mine = store.traces_path / "20260101T000000Z-agent-abc.verdict.json"
    other = store.path / "verdicts" / "x.verdict.json"
    other.parent.mkdir()
    for number, path in enumerate((other, mine)):
        path.touch()
        os.utime(path, (number, number))

    assert find_verdict("abc", store).verdict == mine
    assert find_verdict("", store).verdict == mine
    assert find_verdict(str(other), store).runs == other.with_name("x.runs.jsonl.zst")
