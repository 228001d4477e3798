from __future__ import annotations

import pytest

from traceproof.replay.testids import is_in


@pytest.mark.parametrize(
    ("test", "folder"),
    [
        ("tests/test_a.py::TestB::test_c[1]", ""),
        ("test_a.py::test_c", "tests"),
        ("tests.test_a.TestB.test_c", ""),
        ("test_a.TestB.test_c", "tests"),
        ("tests/test_a.py", ""),
    ],
)
def test_which_file_a_test_is_in(test: str, folder: str) -> None:
    assert is_in(test, ["tests/test_a.py"], folder)


@pytest.mark.parametrize(
    "test", ["tests/test_b.py::test_a", "tests.test_ab.T.t", "x/tests/test_a.py::test", ""]
)
def test_and_which_not(test: str) -> None:
    assert not is_in(test, ["tests/test_a.py"])
