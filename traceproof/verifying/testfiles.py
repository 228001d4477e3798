"""Which files of a tree are tests, and how they are put into the state that grades.

A file is a test file if its name says so (`test_*.py`, `*_test.py`, `conftest.py`, `*.test.js`,
`*.spec.ts`, `*_test.go`, …) or if a folder that it is in is called `test`, `tests`, `__tests__`,
`spec` or `specs`. Pure: from trees to trees; contents are nobody's business here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from traceproof.recorder.workspace.tree import Leaf, Tree

_FOLDERS = frozenset((b"test", b"tests", b"__tests__", b"spec", b"specs"))
_NAME = re.compile(
    rb"test_.*\.pyi?|.*_tests?\.py|tests?\.py|conftest\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?"
    rb"|.*_test\.go|.*_(?:spec|test)\.rb|.*Tests?\.(?:java|kt|cs)"
)


_CONFIGURATIONS = frozenset(
    (b"pytest.ini", b".pytest.ini", b"pytest.toml", b".pytest.toml", b"tox.ini", b"setup.cfg",
     b"pyproject.toml", b"noxfile.py")
)  # fmt: skip
_SHADOWS = frozenset(
    (b"pytest", b"_pytest", b"pluggy", b"unittest", b"sitecustomize", b"usercustomize")
)


class TestFiles(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the test files."""

    __test__ = False  # pytest collects what is called like this

    state: str
    """What they were restored to: `final`, `base`, or the name of a file."""
    agent_written: tuple[str, ...] = ()
    """Added or changed between base and final, not by hand; they are graded as they stand, unless
    `restored` names them too."""
    deleted: tuple[str, ...] = ()
    """In base, and not in final."""
    restored: tuple[str, ...] = ()
    """Those that one of the trees had otherwise."""


def is_test(path: bytes) -> bool:
    """Tell whether a file is a test file, by its path."""
    *folders, name = path.split(b"/")
    return bool(_NAME.fullmatch(name)) or not _FOLDERS.isdisjoint(folders)


def only_tests(tree: Tree) -> dict[bytes, Leaf]:
    """Return the test files of a tree."""
    return {path: leaf for path, leaf in tree.leaves() if is_test(path)}


def added_or_changed(base: Tree, final: Tree) -> list[bytes]:
    """Return the test files of the final tree that the base has not, or has otherwise."""
    before = only_tests(base)
    return sorted(
        path for path, leaf in only_tests(final).items() if not leaf.same(before.get(path))
    )


def removed(base: Tree, final: Tree) -> list[bytes]:
    """Return the test files of the base that the final tree has not."""
    after = only_tests(final)
    return sorted(path for path in only_tests(base) if path not in after)


def with_tests_of(tree: Tree, other: Tree, *, keep_added: bool = False) -> Tree:
    """Return a tree with the test files of another one in place of its own.

    Args:
        tree: whose other files are kept.
        other: whose test files count.
        keep_added: keep the test files that the other has not at all.
    """
    mine, theirs = only_tests(tree), only_tests(other)
    changes: dict[bytes, Leaf | None] = dict(theirs)
    if not keep_added:
        changes |= {path: None for path in mine if path not in theirs}
    return changed(tree, changes)


def undone(base: Tree, final: Tree, by_hand: Collection[bytes] = ()) -> tuple[Tree, Tree]:
    """Return both trees with nothing of what grades them as it was made on the way.

    Test files are those of the base, those that were added are gone; so it is with what configures
    the runner (`pytest.ini`, `setup.cfg`, …), and with added modules that would be imported
    in its place (`pytest.py`, `src/sitecustomize.py`, …).

    Args:
        base: the first tree.
        final: the last one.
        by_hand: paths that a person changed on the way: in both trees they are as in the last.
    """
    mine, theirs = dict(final.leaves()), dict(base.leaves())
    packages = {path.rpartition(b"/")[0] for path in mine if path.endswith(b"/__init__.py")}
    known = {b"", *(_shadow(path, packages) for path in theirs)}
    grading = {
        path
        for path in {*mine, *theirs}
        if is_test(path) or _configures(path) or _shadow(path, packages) not in known
    }
    kept = {path: mine.get(path) for path in grading.intersection(by_hand)}
    first = {path: theirs.get(path) for path in grading.difference(by_hand)}
    return changed(base, kept), changed(final, first)


def _configures(path: bytes) -> bool:
    return path.rpartition(b"/")[2] in _CONFIGURATIONS


def _shadow(path: bytes, packages: Collection[bytes]) -> bytes:
    """Return the module that a path is of, if it may stand in the place of a runner's; or nothing.

    In a package it is another's name; in any other folder (`src`) it may be on the path.
    """
    *folders, name = path.split(b"/")
    parts = [*folders, name.removesuffix(b".py")]
    for depth, part in enumerate(parts):
        if part in _SHADOWS and b"/".join(parts[:depth]) not in packages:
            return b"/".join(parts[: depth + 1])
    return b""


def changed(tree: Tree, changes: Mapping[bytes, Leaf | None]) -> Tree:
    """Return a tree with some paths changed; None takes one out."""
    made = Tree(tree.algorithm)
    for path, leaf in tree.leaves():
        made.put(path, leaf)
    for path, change in changes.items():
        made.put(path, change)
    return made


def differing(one: Tree, other: Tree) -> Iterator[bytes]:
    """Yield the paths at which two trees differ."""
    left, right = dict(one.leaves()), dict(other.leaves())
    for path in sorted({*left, *right}):
        mine = left.get(path)
        if mine is None or not mine.same(right.get(path)):
            yield path


def names(paths: list[bytes]) -> tuple[str, ...]:
    """Return paths as text that can be printed and stored."""
    return tuple(os.fsdecode(path).encode(errors="replace").decode() for path in paths)
