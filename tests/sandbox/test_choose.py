from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from traceproof.sandbox.choose import choose
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import SandboxUnavailable


def test_local_is_local() -> None:
    assert choose("local").name == "local"


def test_what_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="docker, local or auto"):
        choose("podman")


@pytest.mark.engine
def test_auto_is_docker_where_an_engine_answers(engine: DockerSandbox) -> None:
    assert engine.name == "docker"
    found = choose()
    assert isinstance(found, DockerSandbox)
    found.client.close()


def test_auto_is_local_where_none_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    told: list[str] = []

    assert choose(tell=told.append).name == "local"
    assert len(told) == 1
    assert "none.sock" in told[0]
    assert "\n" not in told[0]


def test_docker_that_is_wanted_and_does_not_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(SandboxUnavailable):
        choose("docker")


def test_an_engine_that_says_nothing_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/silent.sock")
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        told: list[str] = []
        began = time.monotonic()

        assert choose(tell=told.append, patience=0.1).name == "local"

    assert time.monotonic() - began < 30
    assert "did not answer in 0.1 s" in told[0]
