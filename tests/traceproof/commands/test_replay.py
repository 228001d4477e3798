"""`replay` on small made sessions, in private folders: no engine, no network."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Observed, Project
from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Span, new_span_id, new_trace_id
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]
LOCAL = ("--sandbox", "local")


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep what is built for all these tests, and everything else in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "replay-cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(name="work")
def _work(tmp_path: Path) -> Project:
    work = Project(tmp_path / "work")
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-01T00:00:00Z")
    work.environment |= dates  # the same commit in every test: its environment is built once
    work.write("a.py", "print('one')\n")
    work.commit()
    return work


def ran(observed: Observed, script: str, **told: Any) -> None:
    """Play a tool call that runs a command; `told` is what its span says of it."""
    tool = observed.call("Bash", {"command": script})
    observed.answers(tool)
    now = time.time_ns()
    attributes: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: "sh",
        semconv.PROCESS_COMMAND_ARGS: ["/bin/sh", "-c", script],
        semconv.PROCESS_WORKING_DIRECTORY: str(observed.project.folder),
        semconv.COMMAND_SCRIPT: script,
        semconv.COMMAND_FOR: "tool",
        semconv.COMMAND_STATE: "ended",
        semconv.PROCESS_EXIT_CODE: told.get("code", 0),
        semconv.COMMAND_STDOUT: told.get("stdout", ""),
        semconv.COMMAND_STDERR: told.get("stderr", ""),
    }
    observed.ends(tool)
    observed.writer.span(
        Span(
            observed.root.trace_id, new_span_id(), "sh", parent_id=tool.span.span_id,
            start=now, end=now + 1, attributes=attributes,
        )
    )  # fmt: skip


@pytest.fixture(name="recorded")
def _recorded(work: Project) -> Path:
    """A session: a command, an edit, a command, one that needs a network."""
    observed = Observed(work)
    ran(observed, "python3 a.py", stdout="one\n")
    observed.step(lambda: work.write("a.py", "print('two')\n"), "Edit", file_path="a.py")
    ran(observed, "python3 a.py; git status --short; exit 3", stdout="two\n M a.py\n", code=3)
    ran(observed, "git push", stdout="")
    return observed.close()


def test_steps_in_plain_lines(here: Here, recorded: Path, work: Project) -> None:
    code, said, _ = here("replay", recorded, *LOCAL, "--repository", work.folder)

    lines = said.splitlines()
    assert lines[:5] == [
        "same: 3 same, 1 skipped",
        "1 same python3 a.py",
        "2 same Edit: a.py",
        "3 same python3 a.py; git status --short; exit 3",
        "4 skipped git push: it needs a network (git push): --allow-network",
    ]
    assert lines[5].startswith("local, isolation: process; workspace ")
    assert code == 0


def test_one_document(here: Here, recorded: Path, work: Project) -> None:
    code, said, _ = here("replay", recorded, *LOCAL, "--repository", work.folder, "--json")

    report = json.loads(said)
    assert (code, report["answer"], report["commit"]) == (0, "same", work.git("rev-parse", "HEAD"))
    assert report["counts"] == {"same": 3, "normalised": 0, "differs": 0, "skipped": 1}
    assert report["trace"] == str(recorded)
    assert len(report["steps"][1]["tree_recorded"]) == 40


def test_some_steps_begin_with_what_was_recorded(here: Here, recorded: Path, work: Project) -> None:
    code, said, _ = here("replay", recorded, *LOCAL, "--repository", work.folder, "--steps", "3")

    assert said.splitlines()[1:2] == ["3 same python3 a.py; git status --short; exit 3"]
    assert code == 0


def test_a_difference_stands_on_top(here: Here, work: Project) -> None:
    observed = Observed(work)
    ran(observed, "python3 a.py", stdout="ona\n")
    path = observed.close()

    code, said, _ = here("replay", path, *LOCAL, "--repository", work.folder, "--full")

    assert said.splitlines()[:5] == [
        "differs: step 1 differs: stdout, line 1",
        "  python3 a.py",
        "  stdout, line 1:",
        "    recorded  ona",
        "    replayed  one",
    ]
    assert code == 1


def test_a_workspace_without_git(here: Here, tmp_path: Path) -> None:
    plain = Project(tmp_path / "plain", repository=False)
    plain.write("a.py", "print('one')\n")
    observed = Observed(plain)
    ran(observed, "python3 a.py", stdout="one\n")

    code, said, _ = here("replay", observed.close(), *LOCAL)

    assert (code, said.splitlines()[0]) == (0, "same: 1 same")
    assert "note: the workspace was no git repository with a commit: there is no .git" in said


@pytest.mark.parametrize("steps", ["0", "9", "3-2", "x", "2-"])
def test_steps_that_are_not_there(here: Here, recorded: Path, work: Project, steps: str) -> None:
    code, said, complained = here(
        "replay", recorded, *LOCAL, "--repository", work.folder, "--steps", steps
    )

    assert (code, said) == (2, "")
    assert complained.startswith("traceproof: --steps ")
    assert complained.count("\n") == 1


def trace(path: Path, **attributes: Any) -> Path:
    writer = TraceWriter(path, resource={"service.name": "traceproof"})
    told = {semconv.OPERATION_NAME: "invoke_agent", **attributes}
    writer.span(Span(new_trace_id(), new_span_id(), "invoke_agent x", end=1, attributes=told))
    assert writer.close()
    return path


def test_an_imported_trace_has_nothing_to_replay(here: Here, tmp_path: Path) -> None:
    path = trace(tmp_path / "i.otlp.jsonl.zst", **{semconv.IMPORT_SOURCE: "claude-code"})

    code, _, complained = here("replay", path, *LOCAL)

    assert code == 2
    assert "imported from a transcript of claude-code" in complained
    assert complained.count("\n") == 1


def test_a_trace_without_snapshots_has_nothing_to_replay(here: Here, tmp_path: Path) -> None:
    code, _, complained = here("replay", trace(tmp_path / "t.otlp.jsonl.zst"), *LOCAL)

    assert code == 2
    assert "no snapshots of the workspace: it was recorded without" in complained


def test_a_session_without_steps(here: Here, work: Project) -> None:
    code, _, complained = here(
        "replay", Observed(work).close(), *LOCAL, "--repository", work.folder
    )

    assert code == 2
    assert "no tool call ran a command or changed a file" in complained


def test_a_clone_without_the_commit(here: Here, recorded: Path, tmp_path: Path) -> None:
    other = Project(tmp_path / "other")
    other.commit()

    code, _, complained = here("replay", recorded, *LOCAL, "--repository", other.folder)

    assert code == 2
    assert "commit" in complained
    assert complained.count("\n") == 1


def test_no_engine_answers(
    here: Here, recorded: Path, work: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/engine.sock")

    code, _, complained = here(
        "replay", recorded, "--sandbox", "docker", "--repository", work.folder
    )

    assert code == 3
    assert complained.count("\n") == 1


def running(words: bytes) -> list[Path]:
    """Return the processes whose command line ends with some words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().endswith(words):
                found.append(path)
        except OSError:
            continue  # it has ended
    return found


def test_a_signal_leaves_nothing_behind(
    work: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    observed = Observed(work)
    ran(observed, "sleep 98761", stdout="")
    command = [sys.executable, "-P", "-m", "traceproof", "replay", str(observed.close()), *LOCAL]

    with subprocess.Popen(command, cwd=work.folder, stderr=subprocess.PIPE) as replaying:
        while not running(b"sleep\x0098761\0"):
            assert replaying.poll() is None, replaying.communicate()
            time.sleep(0.05)
        replaying.send_signal(signal.SIGTERM)

    assert replaying.returncode == 128 + signal.SIGTERM
    assert running(b"sleep\x0098761\0") == []
    left = [path.name for path in scratch.glob("traceproof-*/*")]
    assert left == ["lock"]  # where local boxes of all processes are; empty
