from __future__ import annotations

from traceproof.recorder.workspace.tree import FILE, LINK, PROGRAM, Leaf, Tree, blob_id
from traceproof.replay.steps.trees import differing, excused, told

ONE, TWO = (Leaf(FILE, blob_id("sha1", data)) for data in (b"1", b"2"))


def tree(**files: Leaf) -> Tree:
    made = Tree()
    for name, leaf in files.items():
        made.put(name.replace("__", "/").encode(), leaf)
    return made


def test_equal_trees_have_no_differences() -> None:
    assert list(differing(tree(a=ONE), tree(a=ONE))) == []


def test_what_differs_comes_in_order() -> None:
    found = differing(tree(a=ONE, b=ONE, d__x=ONE), tree(a=ONE, b=TWO, c=ONE))

    assert [(path, told(path, one, other).what) for path, one, other in found] == [
        (b"b", "content"), (b"c", "extra"), (b"d/x", "missing"),
    ]  # fmt: skip


def test_how_a_path_differs() -> None:
    assert told(b"a", ONE, ONE._replace(mode=PROGRAM)).what == "mode"
    assert told(b"a", ONE, ONE._replace(mode=LINK)).what == "kind"
    assert told(b"\xff", ONE, None).path == "\\udcff"


def test_what_need_not_be_as_recorded() -> None:
    assert excused(b"a/__pycache__/x.pyc", {}) == "caches"
    assert excused(b"x.pyc", {}) == "caches"
    assert excused(b".aider.tags.cache.v4/cache.db", {}) == "agent's files"
    assert excused(b"key", {b"key": "masked"}) == "masked"
    assert not excused(b"a.py", {b"key": "masked"})
    assert not excused(b"src/.aider.x", {})
