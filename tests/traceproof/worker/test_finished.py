from __future__ import annotations

import os
import time
from pathlib import Path

from support import made
from traceproof.worker.finished import is_finished

QUIET = 600.0


def test_a_trace_is_finished_when_its_recorder_has_closed_it(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.jsonl.zst"
    growing = made.write(path, close=False)
    late = time.time() + 2 * QUIET

    assert not is_finished(path, late, QUIET)
    growing.close()

    assert is_finished(path, 0, QUIET)


def test_one_that_nobody_closed_is_finished_when_it_has_rested(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.jsonl.zst"
    made.write(path)
    os.truncate(path, path.stat().st_size - 20)
    now = path.stat().st_mtime

    assert not is_finished(path, now + QUIET - 1, QUIET)
    assert is_finished(path, now + QUIET + 1, QUIET)


def test_what_is_no_trace_rests_too(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.jsonl.zst"
    path.write_text("nothing")
    now = path.stat().st_mtime

    assert not is_finished(path, now, QUIET)
    assert is_finished(path, now + QUIET + 1, QUIET)
