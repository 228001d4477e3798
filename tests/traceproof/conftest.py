"""The command line in a folder of its own, and a trace to look at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from traceproof.__main__ import run
from traceproof.recorder.store import SUFFIX, Store

TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder that commands run in; its store is made by what needs one."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)  # so that no store above it is found
    return folder


@pytest.fixture
def env(tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]) -> dict[str, str]:
    """The whole environment of a command."""
    return agent_env(tmp_path)


@pytest.fixture
def cli(project: Path, env: dict[str, str]) -> Callable[..., Done]:
    """Run a command in a process of its own; keywords are environment variables."""

    def cli(*arguments: str | Path, **more: str) -> Done:
        done = subprocess.run(
            [*TRACEPROOF, *map(str, arguments)],
            cwd=project,
            env={**env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return cli


@pytest.fixture
def here(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run a command in this process, which is faster; not for `record` and `demo`."""
    monkeypatch.chdir(project)
    for name in ("TRACEPROOF_STORE", "TRACEPROOF_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def here(*arguments: str | Path) -> Done:
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        return Done(code, *capfd.readouterr())

    return here


@pytest.fixture(scope="session")
def demonstrated(
    tmp_path_factory: pytest.TempPathFactory, agent_env: Callable[[Path], dict[str, str]]
) -> tuple[Done, Path]:
    """What `traceproof demo --record-only` says, and the folder it worked in; it runs once."""
    folder = tmp_path_factory.mktemp("demonstration")
    place = folder / "intervals"
    done = subprocess.run(
        [*TRACEPROOF, "demo", "--record-only", str(place)],
        cwd=folder,
        env=agent_env(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr), place


@pytest.fixture
def trace(project: Path, demonstrated: tuple[Done, Path]) -> Path:
    """The demonstration's trace, in the project's store."""
    (recorded,) = Store(demonstrated[1] / ".traceproof").paths()
    store = Store(project / ".traceproof")
    store.create()
    return Path(
        shutil.copy(recorded, store.traces_path / f"20260102T030405Z-demo-0123abcd{SUFFIX}")
    )


@pytest.fixture
def cut_trace(trace: Path) -> Path:
    """The same trace as a recorder leaves it that was killed: its last bytes are missing."""
    os.truncate(trace, trace.stat().st_size - 200)
    return trace
