"""The deployed shape against the project: what the image copies, starts and asks is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from support.team import TeamProxy
from traceproof.cli import app


def test_the_image_copies_what_is_there_and_all_of_it(root: Path) -> None:
    copied = [
        source
        for line in re.findall(
            r"^COPY (?!--from)(.+)$", (root / "Dockerfile").read_text(), re.MULTILINE
        )
        for source in shlex.split(line)[:-1]
    ]
    kept = {
        line[1:]
        for line in (root / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert set(copied) == kept
    assert [name for name in copied if not (root / name).exists()] == []
    rooms = {path.parent.name for path in root.glob("*/__init__.py")}
    assert rooms <= set(copied)


def test_the_options_it_starts_with_exist(root: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    known = {flag for option in commands["proxy"].params for flag in option.opts}
    texts = [(root / name).read_text() for name in ("Dockerfile", "compose.yaml")]
    started = re.findall(r"^(?:CMD|\s+command:) (\[.*\])$", "\n".join(texts), re.MULTILINE)

    assert len(started) == 2
    assert {flag for text in started for flag in re.findall(r'"(--[\w-]+)"', text)} <= known


def test_its_health_check_passes_while_it_runs_and_fails_after(
    root: Path, tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]
) -> None:
    (found,) = re.findall(r'\["python3", "-c", "(.+)"\]', (root / "Dockerfile").read_text())

    def check(port: int) -> int:
        program = found.replace("8080", str(port))
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=False, timeout=30
        )
        return done.returncode

    with TeamProxy(agent_env(tmp_path), tmp_path) as proxy:
        assert check(proxy.port) == 0
        proxy.kill()
        assert check(proxy.port) != 0
