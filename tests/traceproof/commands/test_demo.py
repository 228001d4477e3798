from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_it_tells_on_stderr_and_shows_the_trace_on_stdout(demonstrated: tuple[Any, Path]) -> None:
    done, place = demonstrated

    assert done.code == 0
    assert f"A repository with a failing test: {place}" in done.err
    assert f"traceproof show --full --store {place}/.traceproof" in done.err
    assert "5 turns · 5 tool calls" in done.out.splitlines()[-1]


def test_the_bug_is_really_fixed(demonstrated: tuple[Any, Path]) -> None:
    place = demonstrated[1]
    command = [sys.executable, "-m", "unittest", "-q"]

    fixed = subprocess.run(command, cwd=place, capture_output=True, check=False)
    subprocess.run(["git", "stash", "-q"], cwd=place, check=True)
    before = subprocess.run(command, cwd=place, capture_output=True, check=False)
    subprocess.run(["git", "stash", "pop", "-q"], cwd=place, check=True)

    assert (fixed.returncode, before.returncode) == (0, 1)


def test_as_json_the_trace_and_the_verdict_are_on_stdout(
    cli: Callable[..., Any], project: Path
) -> None:
    done = cli("demo", "--json", "--sandbox", "local", "here")

    assert done.code == 0
    assert done.json["totals"]["turns"] == 5
    trace = Path(done.json["trace"])
    assert trace.is_relative_to(project / "here" / ".traceproof")
    verdict = done.json["verdict"]
    assert (verdict["verified"], verdict["outcome"]) == (True, "resolved")
    assert verdict["subject"]["trace"] == trace.name
    assert Path(done.json["files"]["verdict"]).parent == trace.parent


def test_without_a_folder_it_makes_one(cli: Callable[..., Any], env: dict[str, str]) -> None:
    place = Path(cli("demo", "--json", "--record-only").json["trace"])

    assert place.is_relative_to(env["TMPDIR"])


def test_without_git_it_works_too(cli: Callable[..., Any], tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "bash", "python3"):
        (programs / name).symlink_to(f"/bin/{name}" if name != "python3" else sys.executable)

    assert cli("demo", "--record-only", "here", PATH=str(programs)).code == 0
