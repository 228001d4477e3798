from __future__ import annotations

import pytest

from traceproof.recorder.workspace.tree import FILE, Leaf, Tree, blob_id
from traceproof.verifying.testfiles import (
    added_or_changed,
    is_test,
    only_tests,
    removed,
    undone,
    with_tests_of,
)


def tree(**files: str) -> Tree:
    made = Tree()
    for name, text in files.items():
        path = name.replace("__", "/").encode() + b".py"
        made.put(path, Leaf(FILE, blob_id("sha1", text.encode())))
    return made


def paths(of: Tree) -> list[str]:
    return sorted(path.decode() for path, _ in of.leaves())


@pytest.mark.parametrize(
    "path",
    ["test_a.py", "src/a_test.py", "conftest.py", "tests/data.json", "a/test/b/c", "tests.py",
     "a.test.tsx", "b.spec.js", "x_test.go", "spec/a_spec.rb", "src/FooTest.java"],
)  # fmt: skip
def test_what_is_a_test_file(path: str) -> None:
    assert is_test(path.encode())


@pytest.mark.parametrize(
    "path", ["a.py", "testing/a.py", "src/latest.py", "contest.py", "README", "attest/x.py"]
)
def test_what_is_none(path: str) -> None:
    assert not is_test(path.encode())


BASE = tree(a="1", test_kept="1", test_changed="1", test_gone="1")
FINAL = tree(a="2", test_kept="1", test_changed="2", test_new="1")


def test_what_the_agent_did_to_tests() -> None:
    assert added_or_changed(BASE, FINAL) == [b"test_changed.py", b"test_new.py"]
    assert removed(BASE, FINAL) == [b"test_gone.py"]


def test_the_final_tests_on_the_base() -> None:
    graded = with_tests_of(BASE, FINAL)

    assert only_tests(graded) == only_tests(FINAL)
    assert graded.get(b"a.py") == BASE.get(b"a.py")


def test_the_base_tests_on_the_final_tree_leave_new_ones_there() -> None:
    graded = with_tests_of(FINAL, BASE, keep_added=True)

    assert paths(graded) == sorted([*paths(BASE), "test_new.py"])
    assert graded.get(b"test_changed.py") == BASE.get(b"test_changed.py")
    assert graded.get(b"a.py") == FINAL.get(b"a.py")


def test_what_grades_is_undone_and_what_it_grades_is_not() -> None:
    base = tree(a="1", test_a="1", test_b="1")
    final = tree(a="2", test_a="2", tests__new="2", conftest="2", pytest="2", b="2")
    for name in (b"pytest.ini", b"setup.cfg"):
        final.put(name, Leaf(FILE, blob_id("sha1", b"2")))

    before, after = undone(base, final)

    assert before.hash() == base.hash()
    assert paths(after) == ["a.py", "b.py", "test_a.py", "test_b.py"]
    assert dict(after.leaves())[b"a.py"] == dict(final.leaves())[b"a.py"]
    assert dict(after.leaves())[b"test_a.py"] == dict(base.leaves())[b"test_a.py"]


def test_what_a_person_changed_is_left_in_both() -> None:
    base, final = tree(a="1", test_a="1"), tree(a="2", test_a="2", test_b="2")

    before, after = undone(base, final, {b"test_a.py"})

    now = dict(final.leaves())[b"test_a.py"]
    assert dict(before.leaves())[b"test_a.py"] == dict(after.leaves())[b"test_a.py"] == now
    assert paths(after) == ["a.py", "test_a.py"]


def test_a_project_that_is_such_a_module_keeps_it() -> None:
    base, final = tree(_pytest__a="1"), tree(_pytest__a="2")

    assert undone(base, final)[1].hash() == final.hash()


def test_a_module_before_the_runners_is_undone_wherever_it_may_be_imported_from() -> None:
    base, final = tree(), tree(src__sitecustomize="2", lib__pytest__a="2", src__pkg__pytest="2")
    for one in (base, final):
        one.put(b"src/pkg/__init__.py", Leaf(FILE, blob_id("sha1", b"1")))

    assert paths(undone(base, final)[1]) == ["src/pkg/__init__.py", "src/pkg/pytest.py"]
