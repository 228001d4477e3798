"""What the tests of test runs share: a folder with real programs in it, and real outputs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from support.testruns import Ear, Log, Steady

HERE = Path(__file__).parent
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]


@pytest.fixture
def ear(tmp_path: Path) -> Ear:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    return Ear(folder, tmp_path / "s", environment)


@pytest.fixture
def toy() -> str:
    """One test of each kind that pytest knows."""
    return (HERE / "toys" / "test_calc.txt").read_text()


@pytest.fixture
def log() -> Log:
    """What a real tool wrote in a toy project."""
    return lambda name: (HERE / "logs" / f"{name}.txt").read_bytes()


@pytest.fixture
def steady() -> Steady:
    """Outputs without what differs from run to run: times, and the bars around them."""

    def same(output: bytes) -> str:
        text = re.sub(r"\d+\.\d+s\b", "0s", output.decode())
        text = re.sub(r"0x[0-9a-f]+", "0x0", text)
        text = re.sub(r"\bgw\d+", "gw", text)
        return re.sub(r"^=+ (.* in 0s) =+$", r"\1", text, flags=re.MULTILINE)

    return same


@pytest.fixture
def command() -> list[str]:
    return list(PYTEST)
