from __future__ import annotations

from traceproof.recorder.shim.environment import edited, restored

FOLDER = b"/tmp/shim"


def test_what_does_not_name_the_folder_stays() -> None:
    entries = [b"PATH=/usr/bin:/bin", b"A=1", b"A=2", b"no equals sign", b"EMPTY="]

    assert restored(entries, FOLDER, {}) == entries


def test_the_folder_leaves_a_path() -> None:
    entries = [b"PATH=/tmp/shim/path:/usr/bin::/tmp/shimmer"]

    assert restored(entries, FOLDER, {}) == [b"PATH=/usr/bin::/tmp/shimmer"]


def test_a_variable_is_what_it_was() -> None:
    entries = [b"SHELL=/tmp/shim/shell/bash", b"PREFIX=/tmp/shim/prefix/bash"]

    assert restored(entries, FOLDER, {b"SHELL": b"/bin/zsh"}) == [b"SHELL=/bin/zsh"]
    assert restored(entries, FOLDER, {b"SHELL": None}) == []


def test_edits() -> None:
    entries = [b"A=1", b"B=2", b"C=3"]

    assert edited(entries, {b"B": b"x=y", b"C": None, b"D": b""}) == [b"A=1", b"B=x=y", b"D="]
