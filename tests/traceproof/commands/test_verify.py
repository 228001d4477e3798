"""`verify` on small projects, in private folders: no engine, no network, few runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Observed, Project
from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.span import Span, new_span_id, new_trace_id
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]

BUGGY = "def double(x):\n    return x + x + 1\n"
FIXED = "def double(x):\n    return x + x\n"
TEST = """import unittest
from a import double

class Test(unittest.TestCase):
    def test_double(self):
        self.assertEqual(double(2), 4)
    def test_zero(self):
        self.assertIsInstance(double(0), int)
"""
UNITTEST = ("--tests", "python -m unittest -q")
QUICK = ("--sandbox", "local", "--max-flake-rate", "0.7", "--axes", "none")
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep what is built for all these tests, and everything else in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "verify-cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(name="work")
def _work(tmp_path: Path) -> Project:
    work = Project(tmp_path / "work")
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-01T00:00:00Z")
    work.environment |= dates  # the same commit in every test: its environment is built once
    work.write("a.py", BUGGY)
    work.write("test_a.py", TEST)
    work.commit()
    return work


def patch(work: Project, name: str, text: str) -> Path:
    """Return a patch that writes a file, and leave the repository as it was."""
    work.write(name, text)
    work.git("add", "-AN")
    path = work.folder.parent / "change.patch"
    path.write_text(work.git("diff") + "\n")
    work.git("reset", "-q", "--hard")
    return path


def of(work: Project, *more: str | Path) -> tuple[str | Path, ...]:
    return ("--repo", work.folder, "--commit", "HEAD", *more)


def test_a_repair_that_works_is_verified(here: Here, work: Project, project: Path) -> None:
    fix = patch(work, "a.py", FIXED)

    code, out, err = here("verify", *of(work, "--patch", fix), *UNITTEST, *QUICK)

    assert (code, out.splitlines()[0]) == (0, "verified: steady, resolved")
    assert "base: 1 passed, 1 failed" in out
    assert "The plan: " in err
    (verdict,) = (project / ".traceproof" / "verdicts").glob("*.verdict.json")
    assert out.splitlines()[-2] == f"The verdict: {verdict}"
    assert out.splitlines()[-1].startswith("The report: ")
    told = json.loads(verdict.read_bytes())
    assert told["fail_to_pass"] == ["test_a.Test.test_double"]
    assert told["subject"]["commit"] == work.git("rev-parse", "HEAD")
    assert told["environment"]["isolation"] == "process"
    assert {path.stat().st_mode & 0o777 for path in verdict.parent.iterdir()} == {0o600}


def test_nothing_that_is_written_holds_credentials_of_a_url(
    here: Here, work: Project, project: Path
) -> None:
    fix = patch(work, "a.py", FIXED)
    repo = f"file://ada:4f9Kq2Zr7Lw1@{work.folder}"

    code, out, err = here(
        "verify", "--repo", repo, "--commit", "main", "--patch", fix, *UNITTEST, *QUICK
    )

    assert code == 0
    files = list((project / ".traceproof" / "verdicts").iterdir())
    kept = [FrameFile(path) for path in files if path.suffix == ".zst"]
    texts = [b"".join(file.lines(k) for k in range(len(file.frames))) for file in kept]
    assert texts[0].count(b'"asked"') == 1
    for file in kept:
        file.close()
    told = b"".join([*texts, *(path.read_bytes() for path in files), out.encode(), err.encode()])
    assert b"4f9Kq2Zr7Lw1" not in told
    assert f"file://{work.folder}".encode() in told
    assert here("verify", "--repeat", "final/same/1").code == 0


def test_one_that_does_not_is_not(here: Here, work: Project) -> None:
    change = patch(work, "a.py", BUGGY + "# mended\n")

    code, out, _ = here("verify", *of(work, "--patch", change), *UNITTEST, *QUICK)

    assert (code, out.splitlines()[0]) == (1, "not verified: steady, unresolved")


def test_without_a_before_it_is_enough_to_be_steady(here: Here, work: Project) -> None:
    done = here("verify", *of(work), *UNITTEST, *QUICK, "--json")

    assert done.code == 0
    verdict = done.json["verdict"]
    assert (verdict["class"], verdict.get("outcome")) == ("steady", None)
    assert Path(done.json["files"]["verdict"]).is_file()
    assert {control["tree"] for control in verdict["controls"]} == {"final"}


def test_a_trace(here: Here, work: Project) -> None:
    observed = Observed(work)
    observed.step(lambda: work.write("a.py", FIXED), "Edit", file_path="a.py")
    observed.step(lambda: work.write("test_b.py", TEST), "Write", file_path="test_b.py")
    trace = observed.close()

    done = here("verify", trace, *UNITTEST, *QUICK, "--json")

    assert done.code == 0
    files, verdict = done.json["files"], done.json["verdict"]
    assert files["verdict"] == str(trace).replace(".otlp.jsonl.zst", ".verdict.json")
    assert {test["test"]: test.get("agent_written", False) for test in verdict["tests"]} == {
        "test_a.Test.test_double": False,
        "test_a.Test.test_zero": False,
        "test_b.Test.test_double": True,
        "test_b.Test.test_zero": True,
    }
    assert verdict["subject"]["agent_written"] == ["test_b.py"]


def test_an_agent_that_takes_a_test_out_is_caught_by_the_tests_of_the_beginning(
    here: Here, work: Project
) -> None:
    only_double = TEST.replace("    def test_zero(self):\n", "").replace(
        "        self.assertIsInstance(double(0), int)\n", ""
    )
    observed = Observed(work)
    mended = FIXED.replace("x + x", "x + x if x else None")
    observed.step(lambda: work.write("a.py", mended), "Edit", file_path="a.py")
    observed.step(lambda: work.write("test_a.py", only_double), "Edit", file_path="test_a.py")
    trace = observed.close()

    done = here("verify", trace, *UNITTEST, *QUICK, "--no-replay", "--json")

    verdict = done.json["verdict"]
    assert (done.code, verdict["outcome"]) == (1, "regressed")
    assert verdict["lost"] == ["test_a.Test.test_zero"]
    assert verdict["reason"].startswith(
        "by the tests of the beginning test_a.Test.test_zero passed and fails now"
    )
    run = next(run["id"] for run in verdict["runs"] if "beginning" in run.get("value", ""))
    assert here("verify", "--repeat", run, trace).code == 0


def test_a_trace_has_its_steps_replayed_and_shown(here: Here, work: Project) -> None:
    observed = Observed(work)
    observed.step(lambda: work.write("a.py", FIXED), "Edit", file_path="a.py")
    trace = observed.close()

    done = here("verify", trace, *UNITTEST, *QUICK, "--json")

    assert done.code == 0
    assert done.json["replay"]["answer"] == "same"
    assert "the recorded steps, replayed: same (1 same)" in done.json["verdict"]["notes"]
    assert "The recorded session, step by step" in Path(done.json["files"]["html"]).read_text()


def test_without_a_replay_there_is_none(here: Here, work: Project) -> None:
    observed = Observed(work)
    observed.step(lambda: work.write("a.py", FIXED), "Edit", file_path="a.py")
    trace = observed.close()

    done = here("verify", trace, *UNITTEST, *QUICK, "--no-replay", "--json")

    assert (done.code, done.json["replay"]) == (0, None)
    assert not any("replayed" in note for note in done.json["verdict"]["notes"])
    assert "step by step" not in Path(done.json["files"]["html"]).read_text()


def test_what_cannot_be_replayed_is_a_note_beside_the_verdict(here: Here, work: Project) -> None:
    trace = Observed(work).close()

    done = here("verify", trace, *UNITTEST, *QUICK, "--json")

    assert (done.code, done.json["replay"]) == (0, None)
    (note,) = [one for one in done.json["verdict"]["notes"] if "replayed" in one]
    assert note.startswith("the recorded steps were not replayed: ")
    assert note.endswith("no tool call ran a command or changed a file: nothing to replay")


def test_a_folder_without_git(here: Here, tmp_path: Path) -> None:
    folder = tmp_path / "a-1.0"
    folder.mkdir()
    (folder / "a.py").write_text(FIXED)
    (folder / "test_a.py").write_text(TEST)
    (folder / "traceproof.toml").write_text('test = "python -m unittest -q"\n')

    done = here("verify", "--repo", folder, *QUICK, "--json")

    assert (done.code, done.json["verdict"]["class"]) == (0, "steady")


# --- one run again ------------------------------------------------------------------------------


@pytest.fixture(name="verdict")
def _verdict(here: Here, work: Project) -> Path:
    done = here("verify", *of(work), *UNITTEST, *QUICK, "--json")
    return Path(done.json["files"]["verdict"])


def test_a_run_is_repeated(here: Here, verdict: Path) -> None:
    code, out, _ = here("verify", "--repeat", "final/same/2")
    assert (code, out.splitlines()) == (
        0,
        ["final/same/2: the same", "  then: 1 failed, 1 passed", "  now: 1 failed, 1 passed"],
    )

    assert here("verify", "--repeat", "final/same/1#0", verdict, "--json").json["same"] is True


def test_a_verdict_of_somebody_elses_runs_nothing_outside_of_a_container_unasked(
    here: Here, verdict: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of another machine"))

    code, _, err = here("verify", "--repeat", "final/same/1", verdict)

    assert code == 2
    assert "this verdict was not made here" in one_line(err)
    assert here("verify", "--repeat", "final/same/1", verdict, "--sandbox", "local").code == 0


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("final/same/99", "no run 'final/same/99' in "),
        ("final/same/1#1", "no session 'final/same/1#1': those of final/same/1 are "),
        ("final/same/1#x", "no session 'final/same/1#x'"),
    ],
)
def test_a_run_that_there_is_not(here: Here, verdict: Path, wanted: str, line: str) -> None:
    code, _, err = here("verify", "--repeat", wanted, verdict)

    assert code == 2
    assert line in one_line(err)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-90]), "no verdict, or a damaged one"),
        (lambda path: path.unlink(), "there is no verdict"),
        (lambda path: runs_of(path).unlink(), "the runs of this verdict are not there"),
        (lambda path: runs_of(path).write_bytes(b"x"), "these are not the runs that"),
    ],
)
def test_a_spoiled_verdict(
    here: Here, verdict: Path, spoil: Callable[[Path], Any], line: str
) -> None:
    spoil(verdict)

    code, _, err = here("verify", "--repeat", "final/same/1", verdict)

    assert code == 2
    assert line in one_line(err)


def runs_of(verdict: Path) -> Path:
    return Path(str(verdict).replace(".verdict.json", ".runs.jsonl.zst"))


def test_a_branch_that_has_moved_on_is_no_matter(here: Here, verdict: Path, work: Project) -> None:
    work.write("a.py", FIXED)
    work.commit()

    assert here("verify", "--repeat", "final/same/1", verdict).code == 0


def test_a_subject_that_is_another_now(here: Here, work: Project) -> None:
    change = patch(work, "a.py", FIXED)
    done = here("verify", *of(work, "--patch", change), *UNITTEST, *QUICK, "--json")
    change.write_text(patch(work, "a.py", FIXED + "# more\n").read_text())

    code, _, err = here("verify", "--repeat", "final/same/1", done.json["files"]["verdict"])

    assert code == 2
    assert "is not what it was when" in one_line(err)


# --- wrong input --------------------------------------------------------------------------------


def left(folder: Path) -> list[Path]:
    """Return what is left in a folder, besides the lock by which local boxes take turns."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def one_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("traceproof: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "what is to be verified? a TRACE, or --repo URL_OR_PATH --commit SHA"),
        (["last", "--commit", "HEAD"], "--commit and --patch go with --repo; a TRACE has its own"),
        (["last"], "no trace 'last': the store "),
        (["--repeat", "final/same/1"], "no verdict in "),
        (["--repo", "nowhere"], "nowhere: there is no such folder"),
        (["--repo", "../work"], "which commit of it? --commit SHA (HEAD is "),
        (["--repo", "../work", "--commit", "1" * 40], f"no commit {'1' * 40} in "),
        (["--repo", "../work", "--commit", "HEAD", *QUICK], "which command runs the tests?"),
        (
            ["--repo", "../work", "--commit", "HEAD", *QUICK, "--tests", "nosuch -q"],
            "the test command 'nosuch -q': nosuch is not in the environment",
        ),
        (["--repo", "../work", "--axes", "ordr"], "--axes 'ordr': known are all, none, order"),
        (["--repo", "../work", "--time", "soon"], "--time 'soon': a time like 90s, 10m or 2h"),
    ],
)
@pytest.mark.usefixtures("work")
def test_wrong_input_is_one_line(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    code, out, err = here("verify", *arguments)

    assert (code, out) == (2, "")
    assert line in one_line(err)
    assert left(temporary) == []


def test_a_trace_without_a_repository(here: Here, work: Project, tmp_path: Path) -> None:
    trace = Observed(work).close()
    work.folder.rename(tmp_path / "elsewhere")

    code, _, err = here("verify", trace, *UNITTEST)
    assert code == 2
    assert "is not in the recorded folder, nor here: name a clone with --repo URL" in one_line(err)

    code, out, _ = here("verify", trace, *UNITTEST, *QUICK, "--repo", tmp_path / "elsewhere")
    answer = "steady, 1 of 2 failing each time; there is no before and after to compare"
    assert (code, out.splitlines()[0]) == (0, answer)


def test_a_trace_without_snapshots(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "t.otlp.jsonl.zst"
    writer = TraceWriter(path, resource={})
    writer.span(Span(new_trace_id(), new_span_id(), "invoke_agent", start=1, end=2))
    writer.close()

    code, _, err = here("verify", path)

    assert code == 2
    assert "verify it by --repo URL_OR_PATH --commit SHA --patch FILE" in one_line(err)


def test_no_tests(here: Here, work: Project) -> None:
    work.git("rm", "-q", "test_a.py")
    work.commit()

    done = here("verify", *of(work), "--tests", "python -m unittest discover", *QUICK)

    assert (done.code, done.out.splitlines()[:2]) == (
        1,
        ["not steady: no tests", "no test was found"],
    )


# --- signals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_and_nothing_is_left(
    work: Project, project: Path, env: dict[str, str], number: signal.Signals, code: int
) -> None:
    running = subprocess.Popen(
        [*TRACEPROOF, "verify", *map(str, of(work)), *UNITTEST, "--sandbox", "local"],
        cwd=project,
        env={**env, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr
    assert any(line.startswith("The plan: ") for line in running.stderr)

    running.send_signal(number)
    said = running.communicate()

    assert running.returncode == code, said
    assert left(Path(env["TMPDIR"])) == []
    assert list((project / ".traceproof" / "verdicts").iterdir()) == []
