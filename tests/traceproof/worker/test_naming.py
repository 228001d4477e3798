from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.worker import naming

ALL = """\
repo = "https://example.org/a.git"
commit = "0123"
patch = "a.patch"
tests = "pytest -q"
tests-from = "base"
task-type = "feature"
as-of = "2024-05-01"
"""


def test_each_key_is_the_option_of_its_name(tmp_path: Path) -> None:
    path = naming.path_of(tmp_path / "a.otlp.jsonl.zst")
    path.write_text(ALL)

    named = naming.read(path)

    assert path.name == "a.subject.toml"
    assert named is not None
    assert named.options(tmp_path) == [
        "--repo=https://example.org/a.git",
        "--commit=0123",
        f"--patch={tmp_path}/a.patch",
        "--tests=pytest -q",
        "--tests-from=base",
        "--task-type=feature",
        "--as-of=2024-05-01",
    ]


def test_files_are_named_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.subject.toml"
    path.write_text('tests-from = "tests.tar"')

    named = naming.read(path)

    assert named is not None
    assert named.options(tmp_path) == [f"--tests-from={tmp_path}/tests.tar"]


def test_where_there_is_none_nothing_is_named(tmp_path: Path) -> None:
    assert naming.read(tmp_path / "a.subject.toml") is None


@pytest.mark.parametrize(
    "text",
    [
        b"repo = ",
        b"repository = 'x'",
        b"repo = 1",
        b"task-type = 'sport'",
        b"\xff",
        b"#" * 70_000,
    ],
)
def test_a_wrong_one_is_said_to_be(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.subject.toml"
    path.write_bytes(text)

    with pytest.raises(ValueError, match=r"a\.subject\.toml: "):
        naming.read(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.subject.toml")

    with pytest.raises(ValueError, match="not a file"):
        naming.read(tmp_path / "a.subject.toml")
