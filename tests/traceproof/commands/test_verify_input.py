"""`verify` with options that cannot be meant: one line, and nothing was run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Project

Here = Callable[..., Any]
OF = ("--repo", "../work", "--commit", "HEAD", "--sandbox", "local", "--axes", "none")


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = Project(tmp_path / "work")
    work.write("a.py", "")
    work.commit()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--memory", "0"], "--memory '0': 16m is the least"),
        (["--timeout", "0"], "--timeout '0': 1 s is the least"),
        (["--axes", "order,network"], "--axes network needs --allow-network"),
        (["--repeat", "x", "--runs", "3"], "--runs does not go with --repeat"),
        (["--repeat", "x", "--no-replay"], "--replay does not go with --repeat"),
        (["--tests", "cd nosuch && true"], "'cd nosuch && true': there is no folder nosuch"),
        (["--report", "../work/a.py", "--tests", "true"], "work/a.py: not a folder"),
    ],
)
def test_one_line_says_what_is_wrong(here: Here, arguments: list[str], line: str) -> None:
    of = () if "--repeat" in arguments else OF
    code, out, err = here("verify", *of, *arguments)

    assert (code, out) == (2, "")
    assert line in err
    assert err.startswith("traceproof: ")
    assert err.count("\n") == 1
