"""What docs/python.md prints is what its lines print for the session of the demonstration."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "python.md"
SESSION = "session.otlp.jsonl.zst"
FLAGS = doctest.ELLIPSIS | doctest.REPORT_NDIFF


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, agent_env: Callable[[Path], dict[str, str]]
) -> Path:
    """A folder with the session in it."""
    place = tmp_path_factory.mktemp("python")
    subprocess.run(
        [sys.executable, "-P", "-m", "traceproof", "demo", "--record-only", str(place / "demo")],
        env=agent_env(place),
        capture_output=True,
        check=True,
    )
    (recorded,) = (place / "demo" / ".traceproof" / "traces").glob("*.zst")
    shutil.copy(recorded, place / SESSION)
    return place


def test_what_the_page_shows_is_what_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    told: list[str] = []
    shown = "".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(shown, {}, "docs/python.md", str(PAGE), 0)

    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)

    assert result.attempted > 20
    assert result.failed == 0, "".join(told)


def test_the_page_s_programs_run(folder: Path) -> None:
    (program,) = blocks("python")

    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "demo-intervals 10 messages 3 tools\n"
