"""A recorder under way as a process of its own, an agent under it, and disks that can be filled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

from traceproof.proxy.testing import ScriptedModel

TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
AGENT = Path(__file__).with_name("agent.py")


class Ended(NamedTuple):
    """How `record` ended: its exit code, and the lines it wrote to stderr."""

    code: int
    lines: list[str]


class Recorder:
    """`traceproof record` with an agent under it, in a project folder of its own."""

    def __init__(
        self,
        env: dict[str, str],
        project: Path,
        *options: str,
        code: int = 0,
        agent: Path = AGENT,
    ) -> None:
        self.project = project
        self.store = Path(env.get("TRACEPROOF_STORE", project / ".traceproof"))
        project.mkdir(parents=True, exist_ok=True)
        with (project / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [*TRACEPROOF, "record", *options, "--", sys.executable, str(agent), str(code)],
                cwd=project,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    @property
    def errors(self) -> list[str]:
        """The lines on stderr so far."""
        return (self.project / "stderr").read_text().splitlines()

    @property
    def trace(self) -> Path:
        """The trace, of which there is one."""
        (path,) = (self.store / "traces").glob("*.zst")
        return path

    def started(self) -> int:
        """Wait until the agent runs, and return its process id."""
        pid = self.heard()["pid"]
        assert isinstance(pid, int)
        return pid

    def say(self, *prompts: str) -> None:
        """Give the agent prompts, and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{prompt}\n" for prompt in prompts).encode())
        self.process.stdin.flush()

    def heard(self) -> dict[str, Any]:
        """Wait for the agent's next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the agent ended too soon; stderr: {self.errors}"
        heard: dict[str, Any] = json.loads(line)
        return heard

    def ask(self, prompt: str = "Go on.") -> dict[str, Any]:
        """Have the agent make one call, and return what came of it."""
        self.say(prompt)
        return self.heard()

    def kill(self) -> None:
        """Kill the recorder, and it alone, as `kill -9` does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def rest(self) -> list[dict[str, Any]]:
        """Give the agent no more prompts, and return all that it tells until it ends."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return [json.loads(line) for line in self.process.stdout]

    def end(self) -> Ended:
        """Let the agent end, and the recorder after it."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait()
        return Ended(code, self.errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Leave nothing running, whatever the test came to: the agent ends with its stdin."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path, size: str) -> None:
        self.path = path
        self._filler = path / "filler"
        path.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={size}", "traceproof-test", str(path))

    def fill(self) -> None:
        """Take every byte that is left."""
        with self._filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        assert os.statvfs(self.path).f_bavail == 0

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink()

    def protect(self) -> None:
        """Make it read-only."""
        self._mount("-o", "remount,ro", str(self.path))

    def unmount(self) -> None:
        """Take it away again, even if something still has it open."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def _mount(self, *arguments: str) -> None:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"this test mounts a small disk, for which it must be root: {done.stderr}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """Mount a small file system; it is unmounted after the test."""
    mounted: list[Disk] = []

    def disk(size: str = "4m") -> Disk:
        mounted.append(Disk(tmp_path / f"disk{len(mounted)}", size))
        return mounted[-1]

    yield disk
    for each in mounted:
        each.unmount()


@pytest.fixture(scope="session")
def new_recorder(agent_env: Callable[[Path], dict[str, str]]) -> Callable[..., Recorder]:
    """Give a function that starts a recorder with an agent under it, in a folder."""

    def new_recorder(
        model: ScriptedModel | None,
        folder: Path,
        *options: str,
        store: Path | None = None,
        code: int = 0,
        direct: bool = False,
        agent: Path = AGENT,
    ) -> Recorder:
        env = agent_env(folder)
        if store is not None:
            env["TRACEPROOF_STORE"] = str(store)
        if model is not None and direct:  # so that it reaches the model without a recorder too
            env["ANTHROPIC_BASE_URL"] = model.url
        elif model is not None:
            options = ("--route", f"api.anthropic.com={model.url}", *options)
        return Recorder(env, folder / "project", *options, code=code, agent=agent)

    return new_recorder


@pytest.fixture
def record(
    tmp_path: Path, new_recorder: Callable[..., Recorder]
) -> Iterator[Callable[..., Recorder]]:
    """Start a recorder with an agent under it; after the test nothing of it runs."""
    with contextlib.ExitStack() as started:
        yield lambda *given, **named: started.enter_context(
            new_recorder(given[0], tmp_path, *given[1:], **named)
        )


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of this run, which pytest-randomly prints: `-p randomly_seed=…` repeats it."""
    return int(pytestconfig.getoption("randomly_seed", 0) or 0)
