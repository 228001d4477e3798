from __future__ import annotations

import hashlib

import pytest

from traceproof.recorder.workspace.tree import Leaf, Tree, blob_id

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
A = Leaf("100644", blob_id("sha1", b"a"))
B = Leaf("100755", blob_id("sha1", b"b"))


def test_nothing_has_the_hash_of_gits_empty_tree() -> None:
    tree = Tree()
    assert tree.hash() == EMPTY
    tree.put(b"a/b/c", A)
    tree.put(b"a/b/c", None)
    assert tree.hash() == EMPTY
    assert list(tree.leaves()) == []


def test_a_hash_follows_every_change() -> None:
    tree, same = Tree(), Tree()
    for path in (b"x/y", b"x-", b"x.z", b"x/z/1"):
        tree.put(path, A)
        tree.hash()
    for path in (b"x/z/1", b"x.z", b"x-", b"x/y"):
        same.put(path, A)
    assert tree.hash() == same.hash()
    same.put(b"x/y", B)
    assert tree.hash() != same.hash()


def test_what_is_put_takes_the_place_of_what_is_in_the_way() -> None:
    tree = Tree()
    tree.put(b"a", A)
    tree.put(b"a/b", B)
    assert dict(tree.leaves()) == {b"a/b": B}
    tree.put(b"a", None)  # a folder by now
    assert tree.get(b"a/b") == B
    tree.put(b"a", A)
    assert dict(tree.leaves()) == {b"a": A}
    tree.put(b"a/b/c", None)
    assert (tree.get(b"a"), tree.get(b"a/b"), tree.get(b"nope/x")) == (A, None, None)


def test_the_objects_end_with_the_whole() -> None:
    tree = Tree()
    tree.put(b"a/b", A)
    *_, whole = tree.objects()
    assert hashlib.sha1(b"tree %d\0" % len(whole) + whole).hexdigest() == tree.hash()


@pytest.mark.parametrize("path", [b"", b"/a", b"a/", b"a//b", b"..", b"a/../b", b"./a"])
def test_what_is_no_path(path: bytes) -> None:
    with pytest.raises(ValueError, match="not a path"):
        Tree().put(path, A)
