from __future__ import annotations

import pytest

from support import verdicts
from traceproof.replay.exports import tests
from traceproof.replay.verdict import Subject


@pytest.mark.parametrize(
    ("test", "parts", "file"),
    [
        ("tests/a.py::B::test_c[1]", ("tests/a.py::B", "test_c[1]"), "tests/a.py"),
        ("tests/a.py::test_c[x::y.z]", ("tests/a.py", "test_c[x::y.z]"), "tests/a.py"),
        ("tests.a.B.test_c", ("tests.a.B", "test_c"), ""),
        ("tests/a.py", ("tests/a.py", "tests/a.py"), "tests/a.py"),
        ("test", ("test", "test"), ""),
        ("", ("", ""), ""),
    ],
)
def test_an_id_is_taken_apart(test: str, parts: tuple[str, str], file: str) -> None:
    assert tests.parts(test) == parts
    assert tests.file_of(test) == file


def test_a_repository_goes_by_its_name_alone() -> None:
    assert tests.repository_name(Subject(repository="https://u:secret@h/a/b.git")) == "b"
    assert tests.repository_name(Subject(repository="/home/me/work/")) == "work"
    assert tests.repository_name(Subject(trace="t.zst")) == "t.zst"


def test_the_bound_is_that_of_the_steady_test_that_is_known_least() -> None:
    assert tests.bound(verdicts.verdict()) == 0.0495
    assert tests.bound(verdicts.verdict(verdicts.random_one("a"))) is None
