"""What a Python sees of the file by which everything starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from traceproof.replay import inside

HERE = inside.__path__[0]


def python(code: str, *folders: str | Path, **environment: str) -> str:
    path = os.pathsep.join(map(str, folders))
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stderr == ""
    return ended.stdout.strip()


def test_it_takes_itself_off_the_path() -> None:
    assert python("import sys; print(*sys.path, sep='|')", HERE).count(HERE) == 0


def test_the_one_behind_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.behind = 1")

    assert python("import sitecustomize; print(behind)", HERE, tmp_path) == "1"


def test_a_file_that_is_broken_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(Path(HERE, "sitecustomize.py").read_text())
    (tmp_path / "__init__.py").write_text("1 / 0")

    assert python("print('alive')", tmp_path) == "alive"


def test_none_of_ours_is_compiled_beside_it(tmp_path: Path) -> None:
    for source in Path(HERE).glob("*.py"):
        (tmp_path / source.name).write_text(source.read_text())

    python("import unittest", tmp_path, TRACEPROOF_JOB=str(tmp_path / "none"))

    written = {one.name.partition(".")[0] for one in tmp_path.rglob("*.pyc")}
    assert written <= {"sitecustomize"}  # Python's own doing, before ours begins
