from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., Any]


@pytest.mark.engine
def test_prune_says_what_it_removed(cli: Here, engine: Any, box_image: Any) -> None:
    labels = {"traceproof": "1", "traceproof.owner": _ended()}
    body = {"Image": box_image.id, "Labels": labels, "Cmd": ["true"]}
    container = engine.client.create_container_from_config(body)["Id"][:12]

    code, out, err = cli("sandbox", "prune")

    assert (code, err) == (0, "")
    assert f"removed container {container}" in out.splitlines()


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_prune_as_json(cli: Here) -> None:
    report = cli("sandbox", "prune", "--json").json

    assert report["engine"] == ""
    assert set(report["removed"]) == {"containers", "networks", "volumes", "images", "left"}
    assert isinstance(report["folders"], list)


def test_prune_where_the_engine_is_down(cli: Here, tmp_path: Path) -> None:
    code, out, _ = cli("sandbox", "prune", DOCKER_HOST=f"unix://{tmp_path}/none.sock")

    assert code == 3
    assert "no engine was asked: cannot connect to the Docker engine" in out


def _ended() -> str:
    program = "from traceproof.sandbox import owner; print(owner.me())"
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
