from __future__ import annotations

import pytest

from traceproof.replay.testids import is_in


@pytest.mark.parametrize(
    ("test", "folder"),
    [
        ("tests/test_a.py::TestB::test_c", ""),
        ("tests.test_a.TestB.test_c", ""),
        ("test_a.py::test_c", "tests"),
        ("test_a.TestB.test_c", "tests"),
    ],
)
def test_a_test_is_in_its_file(test: str, folder: str) -> None:
    assert is_in(test, ("tests/test_a.py",), folder)


@pytest.mark.parametrize("test", ["tests/test_b.py::test_a", "tests/test_a.pyx::t", "make test"])
def test_a_test_is_in_no_other(test: str) -> None:
    assert not is_in(test, ("tests/test_a.py",))
