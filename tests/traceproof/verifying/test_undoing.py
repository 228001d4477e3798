from __future__ import annotations

import io
import tarfile

from traceproof.recorder.workspace.tree import FILE, LINK, PROGRAM, SUBMODULE, Leaf, Tree, blob_id
from traceproof.verifying.contents import FromMemory
from traceproof.verifying.undoing import overlay


def tree(files: dict[str, tuple[str, str]]) -> Tree:
    made = Tree()
    for path, (mode, text) in files.items():
        made.put(path.encode(), Leaf(mode, blob_id("sha1", text.encode())))
    return made


def test_what_differs_is_laid_over_and_the_rest_is_left() -> None:
    there = {"a.py": (FILE, "a"), "test_a.py": (FILE, "now"), "conftest.py": (FILE, "new")}
    wanted = {
        "a.py": (FILE, "a"), "test_a.py": (FILE, "then"), "tests/run": (PROGRAM, "x"),
        "tests/link": (LINK, "run"), "tests/sub": (SUBMODULE, "none"),
    }  # fmt: skip
    texts = [text for files in (there, wanted) for _, text in files.values()]
    contents = FromMemory({blob_id("sha1", text.encode()): text.encode() for text in texts})

    made = overlay(tree(there), tree(wanted), contents)

    assert made.gone == ("conftest.py", "test_a.py", "tests/link", "tests/run", "tests/sub")
    with tarfile.open(fileobj=io.BytesIO(made.tar)) as archive:
        members = {member.name: member for member in archive}
        file = archive.extractfile("test_a.py")
        assert file
        assert file.read() == b"then"
    assert set(members) == {"test_a.py", "tests/run", "tests/link"}
    assert members["tests/run"].mode == 0o755
    assert members["tests/link"].linkname == "run"
