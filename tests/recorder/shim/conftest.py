"""A recorder's stand-in, and a launcher that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.shim import Recorder

BASH = "/bin/bash"


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder that records every command."""
    with Recorder(tmp_path) as opened:
        yield opened


@pytest.fixture
def bash(recorder: Recorder) -> str:
    """A launcher that stands for bash."""
    return str(recorder.folder().launcher("path", BASH))


@pytest.fixture(params=["native", "script"])
def either(recorder: Recorder, request: pytest.FixtureRequest) -> str:
    """A launcher for bash, of machine code, or a script as on other machines."""
    machine = None if request.param == "native" else "other"
    return str(recorder.folder(machine=machine).launcher("path", BASH))
