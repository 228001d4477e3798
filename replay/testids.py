"""From a test's id to the file that it is in. By names alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath


def is_in(test: str, files: Collection[str], folder: str = "") -> bool:
    """Tell whether a test is in one of some files.

    Args:
        test: its id: `tests/test_a.py::TestB::test_c`, or `tests.test_a.TestB.test_c`.
        files: paths from the workspace.
        folder: where the test command runs; ids may be seen from there.
    """
    return any(name in files for name in _names(test, folder))


def _names(test: str, folder: str) -> Iterator[str]:
    """Yield the paths that a test may be in."""
    path, mark, _ = test.partition("::")
    parts = [] if mark else test.split(".")
    candidates = [path, *("/".join(parts[:end]) + ".py" for end in range(1, len(parts)))]
    for name in candidates:
        yield name
        if folder:
            yield str(PurePosixPath(folder, name))
