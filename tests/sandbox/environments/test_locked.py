from __future__ import annotations

import json
from pathlib import Path

from traceproof.sandbox.environments.locked import constraints


def test_a_lock_in_the_tree_says_which_versions(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("""
        version = 1
        [[package]]
        name = "mine"
        version = "0.1"
        source = { editable = "." }
        [[package]]
        name = "six"
        version = "1.15.0"
        source = { registry = "https://example.test/simple" }
        [[package]]
        name = "numpy"
        version = "1.26.0"
        [[package]]
        name = "numpy"
        version = "2.0.0"
    """)

    assert constraints(tmp_path) == ["six==1.15.0"]


def test_a_lock_of_pipenv_is_read_too(tmp_path: Path) -> None:
    lock = {"default": {"six": {"version": "==1.15.0"}}, "develop": {"x": {"git": "…"}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))

    assert constraints(tmp_path) == ["six==1.15.0"]


def test_no_lock_or_a_broken_one_says_nothing(tmp_path: Path) -> None:
    assert constraints(tmp_path) == []
    (tmp_path / "poetry.lock").write_text("<<<<<<< HEAD")
    assert constraints(tmp_path) == []
