"""What has been put in the place of pytest's functions is known by whose it is."""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path
from types import ModuleType

import _pytest.runner
import pytest

from traceproof.replay.inside.guard import EVERY, Guard


def load(path: Path, text: str) -> ModuleType:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_was_replaced(tmp_path: Path) -> None:
    assert Guard(str(tmp_path)).changed() == ""


def test_a_function_of_the_projects_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = load(tmp_path / "a.py", "def show_test_item(item): pass")
    guard = Guard(str(tmp_path))

    monkeypatch.setattr(_pytest.runner, "show_test_item", theirs.show_test_item)

    assert guard.changed() == "_pytest.runner.show_test_item"


def test_a_method_and_its_code_are_looked_at_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = load(tmp_path / "a.py", "def fail(self, msg=None): pass")
    guard = Guard(str(tmp_path))

    monkeypatch.setattr(unittest.TestCase.fail, "__code__", theirs.fail.__code__)

    assert guard.changed() == "unittest.case.TestCase.fail"


def test_a_plugin_that_is_installed_may_replace_what_it_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = load(tmp_path / "venv" / "plugin.py", "def show_test_item(item): pass")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    guard = Guard(str(tmp_path))

    monkeypatch.setattr(_pytest.runner, "show_test_item", plugin.show_test_item)

    assert guard.changed() == ""


def test_a_method_of_an_installed_plugin_may_stand_in_for_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_ = "class Plugin:\n    def show_test_item(self, item): pass"
    installed = load(tmp_path / "venv" / "plugin.py", class_).Plugin()
    own = load(tmp_path / "conftest.py", class_).Plugin()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    guard = Guard(str(tmp_path))

    monkeypatch.setattr(_pytest.runner, "show_test_item", installed.show_test_item)
    assert guard.changed() == ""

    monkeypatch.setattr(_pytest.runner, "show_test_item", own.show_test_item)
    assert guard.changed() == "_pytest.runner.show_test_item"


def test_modules_of_the_project_that_take_part_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load(tmp_path / "own.py", "class Plugin: pass")
    conftest, installed = load(tmp_path / "conftest.py", ""), load(tmp_path / "venv" / "it.py", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setitem(sys.modules, "own", own)

    told = Guard(str(tmp_path)).plugins([own.Plugin(), own, conftest, installed, pytest, 1, None])

    assert told == ["own"]


def test_it_looks_now_and_then_and_tells_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [0.0]
    monkeypatch.setattr("traceproof.replay.inside.guard.time.perf_counter", lambda: time[0])
    guard = Guard(str(tmp_path))
    assert guard.look(now=False) == ""

    monkeypatch.delattr(_pytest.runner, "show_test_item")

    assert guard.look(now=False) == ""
    time[0] += EVERY
    assert guard.look(now=False) == "_pytest.runner.show_test_item"
    assert guard.look(now=True) == ""
