"""Boxes for hostile commands: small limits, and a look afterwards at what they left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker.errors
import pytest

from support.boxes import NOTHING, left_by
from traceproof.sandbox import owner
from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.protocol import MIB, Image, Limits, Setting

SMALL = Limits(
    memory=192 * MIB,
    disk=32 * MIB,
    pids=48,
    open_files=256,
    file_size=24 * MIB,
    output=MIB,
    report=MIB,
)


def processes_of(container: str) -> list[str]:
    """The processes on this machine that are in a container's control groups."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if container in (folder / "cgroup").read_text():
                found.append((folder / "cmdline").read_text())
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    return found


@pytest.fixture
def heard() -> list[bytes]:
    """What the box of `box` reports."""
    return []


@pytest.fixture
def box(engine: DockerSandbox, box_image: Image, heard: list[bytes]) -> Iterator[DockerBox]:
    """A box with small limits; in the end nothing of it may be left."""
    with engine.start(box_image, Setting(limits=SMALL), heard.append) as started:
        yield started
    with pytest.raises(docker.errors.NotFound):
        engine.client.inspect_container(started.id)
    assert processes_of(started.id) == []
    assert left_by(engine.client, str(owner.me())) == NOTHING
