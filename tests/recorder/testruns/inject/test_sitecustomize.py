"""The module that waits for pytest in every Python of a command: it leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from traceproof.recorder.testruns.plan import FOLDER

LOOK = """
import json, sys
site = getattr(sys.modules.get("sitecustomize"), "__file__", None)
print(json.dumps([sys.path, site, len(sys.path_importer_cache)]))
"""


def look(tmp_path: Path, environment: Mapping[str, str]) -> tuple[list[str], str | None]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    path, site, _ = json.loads(done.stdout)
    return path, site


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (None, FOLDER, "u"),
        (":src", f"{FOLDER}:src", "u"),  # PYTHONPATH=$PYTHONPATH:src, unset before
        ("src:", f"src:{FOLDER}", "u"),
        ("a:b", f"{FOLDER}:a:b", "s"),
        ("a:src", f"{FOLDER}:a:src", "s"),
        ("other", "other", "s"),  # a script's own value: the plugin is not there
    ],
)
def test_the_path_is_as_it_would_be_without(
    tmp_path: Path, before: str | None, now: str, kind: str
) -> None:
    alone = look(tmp_path, {} if before is None else {"PYTHONPATH": before})

    with_us = look(tmp_path, {"PYTHONPATH": now, "TRACEPROOF_TESTS": f"{kind}:t:1:/nobody"})

    assert with_us == alone


def test_the_users_own_sitecustomize_is_imported(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sitecustomize.py").write_text("here = 1\n")

    _, site = look(tmp_path, {"PYTHONPATH": f"{FOLDER}:lib", "TRACEPROOF_TESTS": "s:t:1:/nobody"})

    assert site == str(tmp_path / "lib" / "sitecustomize.py")


def test_one_that_fails_fails_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('broken')\n")
    said = []
    for path in (".", f"{FOLDER}:."):
        done = subprocess.run(
            [sys.executable, "-c", "print(1)"],
            env={"PYTHONPATH": path, "TRACEPROOF_TESTS": "s:t:1:/nobody"},
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        said.append((done.returncode, done.stdout, done.stderr))

    assert said[0] == said[1]


def test_it_needs_no_variable_and_no_future(tmp_path: Path) -> None:
    assert look(tmp_path, {"PYTHONPATH": FOLDER}) == look(tmp_path, {})
    source = (Path(FOLDER) / "sitecustomize.py").read_text()
    assert "from __future__" not in source  # annotations: Python 2.7 would not parse it
