"""CI fails a session that left a test out, and says so before pytest's closing line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOW = {
    "skipped": "@pytest.mark." + "sk" + "ip\ndef test_b(): pass\n",
    "xfailed": "@pytest.mark." + "xf" + "ail\ndef test_b(): assert False\n",
    "deselected": "def test_left(): pass\n",
}


def session(root: Path, folder: Path, body: str, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(root / "tests" / "conftest.py", folder)
    (folder / "test_it.py").write_text(f"import pytest\n\ndef test_a(): pass\n\n{body}")
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-k", "not left", "--rootdir", folder, folder],
        cwd=folder,
        env={"CI": ci, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", HOW)
def test_ci_fails_when_a_test_was(kind: str, root: Path, tmp_path: Path) -> None:
    result = session(root, tmp_path, HOW[kind], "true")

    assert result.returncode == 1
    *_, said, closing = result.stdout.splitlines()
    assert said == f"CI leaves nothing out, and this session did: 1 {kind}"
    assert f"1 passed, 1 {kind}" in closing


def test_ci_passes_when_all_ran(root: Path, tmp_path: Path) -> None:
    assert session(root, tmp_path, "def test_b(): pass\n", "true").returncode == 0


def test_elsewhere_a_choice_of_tests_is_fine(root: Path, tmp_path: Path) -> None:
    assert session(root, tmp_path, HOW["deselected"], "").returncode == 0
