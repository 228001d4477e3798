"""Options that are set aside."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from traceproof.replay.inside import settings


def test_options_that_hide_or_reorder_are_set_aside_and_named() -> None:
    option = SimpleNamespace(maxfail=1, numprocesses=4, dist="load", tx=["4*popen"], reruns=3,
                             randomly_seed="default", randomly_reorganize=True, lf=False,
                             hypothesis_seed=None, verbose=2)  # fmt: skip

    aside = settings.set_aside(SimpleNamespace(option=option), (1 << 32) + 5)

    assert aside == ["maxfail", "numprocesses", "dist", "tx", "reruns", "randomly_reorganize"]
    assert vars(option) == {
        "maxfail": 0, "numprocesses": None, "dist": "no", "tx": [], "reruns": 0,
        "randomly_seed": 5, "randomly_reorganize": False, "lf": False, "hypothesis_seed": "5",
        "verbose": 2,
    }  # fmt: skip


def test_only_the_files_of_tests_are_collected(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "b.py").touch()
    config = SimpleNamespace(rootpath=tmp_path, args=["tests"])

    settings.only_files(config, ["b.py::test_1", "a.py::T::test_2[a::b]", "b.py::test_3"])

    assert config.args == [str(tmp_path / "b.py"), str(tmp_path / "a.py")]


def test_all_files_are_collected_where_one_is_missing(tmp_path: Path) -> None:
    config = SimpleNamespace(rootpath=tmp_path, args=["tests"])

    settings.only_files(config, ["gone.py::test_1"])

    assert config.args == ["tests"]
