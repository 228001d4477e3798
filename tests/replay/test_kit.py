"""What is handed into a box."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from traceproof.replay import kit
from traceproof.replay.runs import Conditions, Session


def test_the_job_says_what_was_asked_for_and_holds_the_key() -> None:
    session = Session(seed=7, tests=("b", "a"), twice="each", collect="only")

    job = json.loads(
        kit.job(
            session,
            Conditions(fixed_random=True),
            key=b"\x01\x02",
            channel="/channel",
            root="/work",
        )
    )

    assert job == {
        "seed": 7,
        "tests": ["b", "a"],
        "twice": "each",
        "collect": "only",
        "fixed_random": True,
        "key": "0102",
        "channel": "/channel",
        "root": "/work",
    }


def test_identical_runs_have_a_hash_seed_and_nothing_else() -> None:
    assert kit.environment(Conditions()) == {"PYTHONHASHSEED": "0"}


def test_conditions_become_variables() -> None:
    conditions = Conditions(
        hash_seed=5, clock=3600.0, timezone="Asia/Tokyo", locale="tr_TR.UTF-8", switch_interval=1e-6
    )

    made = kit.environment(conditions)

    ahead, _, since = made.pop("TRACEPROOF_CLOCK").partition(":")
    assert (ahead, since.isdigit()) == ("3600", True)
    assert made == {
        "PYTHONHASHSEED": "5",
        "TRACEPROOF_SWITCH": "1e-06",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
    }


@pytest.mark.parametrize("path", ["", "lib:src"])
def test_the_command_gets_the_job_in_a_file_of_its_own_and_no_input(
    tmp_path: Path, path: str
) -> None:
    shown = 'cat "$TRACEPROOF_JOB"; echo; stat -c %a "$TRACEPROOF_JOB"; umask; wc -c; exit 7'
    shown = f'echo "$PYTHONPATH"; {shown}'

    ended = subprocess.run(
        ["sh", "-c", 'umask 027; exec "$@"', "sh", *kit.command(["sh", "-c", shown])],
        input=kit.tar(b"the job"),
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "PYTHONPATH": path},
    )

    assert ended.returncode == 7
    python_path, *rest = ended.stdout.decode().split("\n")
    assert rest == ["the job", "600", "0027", "0", ""]
    folder, _, others = python_path.partition(":")
    assert Path(folder, "sitecustomize.py").exists()
    assert (Path(folder).parent.parent, others) == (tmp_path, path)


def test_a_job_that_cannot_be_written_is_no_exit_code_of_the_tests(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "none")}

    ended = subprocess.run(
        kit.command(["true"]), input=b"", capture_output=True, check=False, env=environment
    )

    assert ended.returncode == kit.NOT_HANDED_OVER


def test_the_files_beside_the_tests_are_all_there() -> None:
    with tarfile.open(fileobj=io.BytesIO(kit.tar(b"job"))) as archive:
        names = archive.getnames()

    ours = {"__init__.py", "sitecustomize.py", "plugin.py", "clock.py"}
    assert {"job", *(f"inside/{name}" for name in ours)} <= set(names)


def test_what_is_handed_in_is_compiled_for_a_python_like_this_one(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(kit.tar(b"{}"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "inside" / "threads.py").write_text("raise SystemExit('not compiled')")
    code = "import sys; sys.path[:0] = ['inside']; import threads; print(threads.STARTERS[0])"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("_start_new_thread\n", "")
