"""What the workspace's watcher is told by a recording's settings, and what it learns by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.secrets import plain_of
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recording import record
from traceproof.settings import Settings

SECRET = "fake-Zx81-Yw72-Qq63"
WRITES = f"""
from pathlib import Path
secret = {SECRET[::-1]!r}[::-1]  # the command line is on record before anything is learned
Path(".env").write_text(f"DEPLOY_TOKEN={{secret}}\\n")
Path("notes.txt").write_text(f"I will use {{secret}} for that.\\n")
Path("more.txt").write_text("More.\\n")
"""
Recorded = Callable[..., Path]


@pytest.fixture
def recorded(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Record a program in a folder of its own; return the trace."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.txt").write_text("A.\n")
    monkeypatch.chdir(work)

    def recorded(program: str, **more: Any) -> Path:
        command, store = (sys.executable, "-c", program), Store(tmp_path / "store")
        outcome = record(Settings(command, work, env, store, Task(), **more))
        assert (outcome.code, outcome.lost) == (0, [])
        return Path(outcome.trace)

    return recorded


def test_a_secret_that_comes_to_be_in_a_credential_file_is_masked_wherever_it_stands(
    recorded: Recorded,
) -> None:
    path = recorded(WRITES)

    written = b"".join(plain_of(path.read_bytes()))
    with TraceReader.open(path) as reader:
        (diff,) = (str(span.attributes[semconv.WORKSPACE_DIFF]) for span in whole(reader))
    assert SECRET.encode() not in written
    assert "+DEPLOY_TOKEN=<SECRET:DEPLOY_TOKEN>" in diff
    assert "+I will use <SECRET:DEPLOY_TOKEN> for that." in diff
    assert "+More." in diff


def whole(reader: TraceReader) -> list[Any]:
    return [span for span in reader.spans(inline=True) if not span.parent_id]


def test_nobody_watches_where_that_is_not_wanted(recorded: Recorded) -> None:
    with TraceReader.open(recorded(WRITES, snapshots="off")) as reader:
        (root,) = whole(reader)

    assert semconv.TREE_START not in root.attributes
    assert [event.name for event in root.events if "snapshot" in event.name] == []


@pytest.mark.parametrize(("snapshots", "seen"), [("on", False), ("all", True)])
def test_what_git_ignores_is_seen_where_that_is_asked(
    recorded: Recorded, snapshots: str, seen: bool
) -> None:
    Path(".gitignore").write_text("*.log\n")

    with TraceReader.open(
        recorded("open('x.log', 'w').write('Logged.')", snapshots=snapshots)
    ) as reader:
        (root,) = whole(reader)

    assert ("Logged." in str(root.attributes.get(semconv.WORKSPACE_DIFF))) == seen
