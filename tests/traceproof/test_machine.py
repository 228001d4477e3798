"""What of an agent's shells becomes a command, and what does not; and what happens without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.outcome import Outcome
from traceproof.recorder import runfolder, semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recording import record
from traceproof.settings import Settings

Recorded = Callable[..., Outcome]
SHELL = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
RUNS = (sys.executable, "-c", SHELL)
"""An agent that runs one command: its arguments."""


@pytest.fixture
def recorded(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Record a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def recorded(*command: str, **more: Any) -> Outcome:
        variables = {**env, **more.pop("environment", {})}
        place = Store(tmp_path / "store")
        return record(Settings(command, tmp_path, variables, place, Task(), **more))

    return recorded


def spans(outcome: Outcome) -> list[Span]:
    with TraceReader.open(outcome.trace) as reader:
        return sorted(reader.spans(), key=lambda span: span.start)


def root(outcome: Outcome) -> Span:
    return next(span for span in spans(outcome) if not span.parent_id)


def scripts(outcome: Outcome) -> list[tuple[str, Any]]:
    """Return the commands in a trace: what the shell was told, and how it ended."""
    found: list[dict[str, Any]] = [span.attributes for span in spans(outcome)]
    return [
        (
            str(told.get(semconv.COMMAND_SCRIPT) or " ".join(told[semconv.PROCESS_COMMAND_ARGS])),
            told[semconv.PROCESS_EXIT_CODE],
        )
        for told in found
        if semconv.PROCESS_EXECUTABLE_NAME in told
    ]


def program(path: Path, text: str) -> str:
    """Write an executable file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_shell_of_the_agent_is_a_command(recorded: Recorded) -> None:
    outcome = recorded(*RUNS, "/bin/sh", "-c", "echo hi; exit 3")

    assert (outcome.code, outcome.lost) == (3, [])
    assert scripts(outcome) == [("echo hi; exit 3", 3)]
    assert root(outcome).attributes[semconv.SHELL_HOOKS] == ["namespace"]


def test_what_is_recorded_is_the_agent_and_not_its_command(
    recorded: Recorded, tmp_path: Path
) -> None:
    program(tmp_path / "run.sh", "sh -c 'exit 4'\nexit 5\n")

    outcome = recorded("bash", "run.sh")

    assert outcome.code == 5
    assert scripts(outcome) == [("exit 4", 4)]


def test_a_wrapper_script_swallows_nothing(recorded: Recorded, tmp_path: Path) -> None:
    wrapper = program(tmp_path / "wrapper", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')

    outcome = recorded(wrapper, "-c", SHELL, "sh", "-c", "exit 6")

    assert scripts(outcome) == [("exit 6", 6)]


@pytest.mark.parametrize("agent", ["codex", "some-agent"])
def test_a_starter_that_uses_a_shell_swallows_nothing(
    recorded: Recorded, tmp_path: Path, agent: str
) -> None:
    starter = f"import subprocess; subprocess.run(['sh', '-c', '{agent} --now'])"
    program(tmp_path / "bin" / "npx", f"#!{sys.executable}\n{starter}\n")
    runs = "import subprocess; subprocess.run(['sh', '-c', 'exit 7'])"
    program(tmp_path / "bin" / agent, f"#!{sys.executable}\n{runs}\n")

    outcome = recorded("npx", agent, environment={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})

    assert outcome.agent == agent
    assert scripts(outcome) == [("exit 7", 7)]


def test_what_runs_during_a_pause_is_not_recorded(recorded: Recorded, tmp_path: Path) -> None:
    switch = f"'{sys.executable}' -P -m traceproof {{}} --store '{tmp_path}/store'"
    script = f"""
        sh -c 'echo before'
        {switch.format("pause")}
        sh -c 'echo in the pause'
        {switch.format("resume")}
        sh -c 'echo after'
    """
    outcome = recorded("bash", program(tmp_path / "run.sh", script))

    assert outcome.lost == []
    assert scripts(outcome) == [("echo before", 0), ("echo after", 0)]


def test_a_command_runs_where_nothing_lies_over_shells(recorded: Recorded, tmp_path: Path) -> None:
    ours = "traceproof-run-| /(usr/)?bin/(ba|da)?sh "
    looks = f"readlink /proc/self/ns/mnt > {tmp_path}/told; grep -cE '{ours}' /proc/self/mounts"

    outcome = recorded(*RUNS, "sh", "-c", looks)

    ((_, code),) = scripts(outcome)
    outside = Path("/proc/self/ns/mnt").stat().st_ino
    assert ((tmp_path / "told").read_text(), code) == (f"mnt:[{outside}]\n", 1)


CONFINES = """
import subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", sys.argv[1]], check=True)
sys.exit(subprocess.run(["sh", "-c", f"touch {sys.argv[1]}/out"]).returncode)
"""


def test_it_does_not_get_out_of_the_agents_own_sandbox(recorded: Recorded, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()

    outcome = recorded("unshare", "-m", sys.executable, "-c", CONFINES, str(inside))

    assert outcome.code == 1
    assert scripts(outcome) == [(f"touch {inside}/out", 1)]
    assert list(inside.iterdir()) == []


def test_hooks_by_variables_outlast_the_launch(tmp_path: Path, env: dict[str, str]) -> None:
    program(tmp_path / "run.sh", "#!/usr/bin/env bash\nbash -c 'exit 4'\n")
    powerless = ["setpriv", "--bounding-set=-sys_admin", sys.executable, "-P", "-m", "traceproof"]
    for number, command in enumerate((["bash", "run.sh"], ["./run.sh"])):
        store = tmp_path / f"store{number}"
        words = [*powerless, "record", "--store", str(store), "--", *command]
        assert subprocess.run(words, cwd=tmp_path, env=env, check=False).returncode == 4

        (trace,) = Store(store).paths()
        outcome = Outcome(4, "", str(trace))
        assert root(outcome).attributes[semconv.SHELL_HOOKS] == ["SHELL", "PATH"]
        assert scripts(outcome) == [("exit 4", 4)]


@pytest.mark.parametrize("mask", [0, 0o77])
def test_a_shell_of_another_user_runs_what_it_cannot_change_whatever_the_umask(
    recorded: Recorded, capfd: pytest.CaptureFixture[str], mask: int
) -> None:
    other = "setpriv --reuid=1000 --regid=1000 --clear-groups"
    before = os.umask(mask)
    try:
        recorded("sh", "-c", f"{other} bash -c 'id -u; test -w /bin/bash || echo kept'; true")
    finally:
        os.umask(before)

    assert capfd.readouterr().out == "1000\nkept\n"


def test_with_no_shell_nothing_is_hooked(recorded: Recorded) -> None:
    outcome = recorded(*RUNS, "sh", "-c", "exit 3", shell=False)

    assert scripts(outcome) == []
    assert root(outcome).attributes[semconv.SHELL_UNHOOKED] == ["all shells: --no-shell"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no place for programs: every folder's path is too long."""
    monkeypatch.setattr(runfolder, "_PLACES", ())
    monkeypatch.setattr(runfolder, "_LONGEST", 1)


@pytest.mark.usefixtures("nowhere")
def test_where_there_is_no_place_for_programs_the_agent_runs_all_the_same(
    recorded: Recorded,
) -> None:
    outcome = recorded(*RUNS, "sh", "-c", "exit 0")

    assert (outcome.exit_code, outcome.code) == (0, 3)
    (why,) = outcome.lost
    assert why.startswith("shell commands are not recorded: no folder")
    assert root(outcome).attributes[semconv.SHELL_UNHOOKED] == [why]


@pytest.mark.usefixtures("nowhere")
def test_with_closed_it_is_not_started_then(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no folder that programs can be run from"):
        recorded("touch", "started", on_failure="closed")

    assert not (tmp_path / "started").exists()


def test_nothing_is_left_behind(recorded: Recorded, capfd: pytest.CaptureFixture[str]) -> None:
    looks = 'grep -o "/[^ ]*/traceproof-run-[^/]*" /proc/$PPID/mounts | head -n1'

    outcome = recorded(*RUNS, "sh", "-c", looks)

    folder = Path(capfd.readouterr().out.strip())
    assert (outcome.code, folder.is_absolute(), folder.exists()) == (0, True, False)
