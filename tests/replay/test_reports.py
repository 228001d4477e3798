from __future__ import annotations

from pathlib import Path

from support import verdicts
from traceproof.replay.reports import Reports, write_all


def test_all_reports_stand_beside_the_verdict(tmp_path: Path) -> None:
    stem = tmp_path / "20261120T215049Z-agent-1.2"

    kept = write_all(verdicts.verdict(), stem)

    assert kept == Reports.at(stem)
    assert sorted(path.name.removeprefix(stem.name) for path in kept) == [
        ".ctrf.json",
        ".html",
        ".intoto.json",
        ".junit.xml",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_the_page_names_the_verdict_in_its_commands(tmp_path: Path) -> None:
    kept = write_all(verdicts.verdict(), tmp_path / "x")

    assert "traceproof verify x.verdict.json --repeat" in kept.html.read_text()
