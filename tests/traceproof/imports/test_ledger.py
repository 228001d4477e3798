from __future__ import annotations

import stat
from pathlib import Path

from traceproof.imports.ledger import Ledger


def test_the_newest_trace_that_is_there_is_found(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for name in ("one", "two", "gone"):
        ledger.note("d", name)
        (tmp_path / name).touch()
    (tmp_path / "gone").unlink()

    assert ledger.find("d", tmp_path) == "two"
    assert ledger.find("other", tmp_path) == ""
    assert stat.S_IMODE((tmp_path / "imports.jsonl").stat().st_mode) == 0o600


def test_lines_that_are_broken_or_lead_elsewhere_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "imports.jsonl").write_text(
        '{"digest":"d","trace":"../../etc/passwd"}\n{"digest":"d"\n[]\n{"digest":"d","trace":""}\n'
    )

    assert Ledger(tmp_path).find("d", tmp_path) == ""
