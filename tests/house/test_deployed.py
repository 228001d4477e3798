"""The deployed shape against the project: what the image copies, starts and asks is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from support.team import TeamProxy
from traceproof.cli import app
from traceproof.worker.running import Manner

ASKED = ("proxy", "worker", "push", "verify")


def _commands() -> dict[str, Any]:
    found: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return found


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
    commands = _commands()
    known = {name: {flag for o in commands[name].params for flag in o.opts} for name in ASKED}
    (own,) = re.findall(r"^CMD (\[.*\])$", (root / "Dockerfile").read_text(), re.MULTILINE)
    services = re.findall(
        r"^  (\w+):(?:(?!\n\n).)*?^    command: (\[.*?\])$",
        (root / "compose.yaml").read_text(),
        re.MULTILINE | re.DOTALL,
    )

    started = [("proxy", own), *services]
    assert [name for name, _ in started] == ["proxy", "proxy", "push", "verify"]
    for service, text in started:
        ours, _, theirs = text.rpartition('"--",') if service != "proxy" else (text, "", "")
        face = "proxy" if service == "proxy" else "worker"
        assert set(re.findall(r'"(--[\w-]+)"', ours)) <= known[face]
        assert set(re.findall(r'"(--[\w-]+)"', theirs)) <= known[service]


def test_the_checks_of_the_workers_are_commands(root: Path) -> None:
    checks = re.findall(r'test: \["CMD", "traceproof", (.*)\]', (root / "compose.yaml").read_text())

    assert [shlex.split(check.replace(",", "")) for check in checks] == [
        ["worker", "push", "--check"],
        ["worker", "verify", "--check"],
    ]
    assert "--check" in {flag for option in _commands()["worker"].params for flag in option.opts}


def test_what_a_worker_gets_to_stop_is_longer_than_it_takes(root: Path) -> None:
    text = (root / "compose.yaml").read_text()
    seconds = [int(found) for found in re.findall(r"stop_grace_period: (\d+)s", text)]

    assert seconds == [45, 120, 120]
    assert seconds[1] > Manner().grace + 45  # to clear up in


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
