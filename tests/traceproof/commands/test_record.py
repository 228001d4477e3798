from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder.reader import TraceReader
from traceproof.recorder.store import Store

Cli = Callable[..., Any]


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 9", 9), ("kill -9 $$", 137)])
def test_it_exits_with_the_agents_own_code(cli: Cli, script: str, code: int) -> None:
    assert cli("record", "--", "sh", "-c", script) == (code, "", "")


def test_the_agents_output_is_its_own_byte_for_byte(project: Path, env: dict[str, str]) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes(range(256))); sys.stderr.write('oops')"

    done = subprocess.run(
        [sys.executable, "-P", "-m", "traceproof", "record", "--", sys.executable, "-c", program],
        cwd=project,
        env=env,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, bytes(range(256)), b"oops")


@pytest.mark.parametrize("more", [(), ("--store", "/tmp/nowhere")], ids=["", "--store"])
def test_from_a_folder_that_has_been_removed_nothing_is_started(
    tmp_path: Path, env: dict[str, str], more: tuple[str, ...]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    started = [sys.executable, "-P", "-m", "traceproof", "record", *more, "--", "echo", "started"]

    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *started],
        cwd=gone,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    said = "traceproof: the working directory has been removed: go to one that is there\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_the_agents_input_is_its_own(project: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "traceproof", "record", "--", "tr", "a-z", "A-Z"],
        cwd=project,
        env=env,
        input=b"hello",
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"HELLO", b"")


def test_options_after_the_command_are_the_agents(cli: Cli) -> None:
    assert cli("record", "echo", "--store", "x", "--help").out == "--store x --help\n"


def test_the_summary_is_json_in_a_file(cli: Cli, project: Path) -> None:
    assert cli("record", "--summary", "summary.json", "--", "sh", "-c", "exit 4").code == 4

    summary = json.loads((project / "summary.json").read_text())
    assert (summary["exit_code"], summary["agent"]) == (4, "sh")
    assert Path(summary["trace"]).is_file()
    assert (project / "summary.json").stat().st_mode & 0o077 == 0
    assert 0 < summary["seconds"] < 60
    assert "lost" not in summary


def test_task_scenario_and_reservation_are_on_the_root(cli: Cli, project: Path) -> None:
    (project / "task.toml").write_text('id = "PROJ-1"\ntype = "repair"\nscenario = "synthetic"\n')

    cli("record", "--scenario", "evaluation", "--reserve-eval", "--", "true")

    (path,) = Store(project / ".traceproof").paths()
    with TraceReader.open(path) as reader:
        attributes = reader.root().span.attributes
    assert attributes["traceproof.task.id"] == "PROJ-1"
    assert attributes["traceproof.task.type"] == "repair"
    assert attributes["traceproof.scenario"] == "evaluation"
    assert attributes["traceproof.reserve_eval"] is True


def test_another_task_file_may_be_named(cli: Cli, project: Path) -> None:
    (project / "other.json").write_text('{"id": "PROJ-2"}')

    cli("record", "--task", "other.json", "--", "true")

    assert cli("show", "--json").json["facts"]["traceproof.task.id"] == "PROJ-2"


def test_the_agent_may_be_named(cli: Cli) -> None:
    cli("record", "--agent", "aider", "--", "true")

    assert cli("ls", "--json").json[0]["agent"] == "aider"


def test_the_store_is_private_and_git_does_not_see_it(cli: Cli, project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)

    cli("record", "--", "true")

    store = project / ".traceproof"
    (trace,) = Store(store).paths()
    assert store.stat().st_mode & 0o777 == 0o700
    assert trace.stat().st_mode & 0o777 == 0o600
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True
    )
    assert status.stdout == b""
