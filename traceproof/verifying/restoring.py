"""`--tests-from final|base|FILE`: the test files of both trees brought into one state.

`final`: base and final are graded by the tests as they stand at the end. `base`: by those of the
beginning; test files that were added since stay, and are marked. A file, which is a patch or a tar
archive: what it names is as it says, in both trees, and the rest of each tree stays as it is.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

from traceproof.recorder.workspace.tree import Leaf, Tree
from traceproof.verifying.contents import Contents, First
from traceproof.verifying.patching import apply, from_tar
from traceproof.verifying.subject import Subject, Undone
from traceproof.verifying.testfiles import (
    TestFiles,
    added_or_changed,
    changed,
    differing,
    names,
    removed,
    undone,
    with_tests_of,
)


def restore(subject: Subject, wanted: str, scratch: Path) -> Subject:
    """Return the subject with its test files restored.

    Args:
        subject: as it was found.
        wanted: `final`, `base` or the path of a file.
        scratch: an empty folder, which stays as long as the result is used.

    Raises:
        ValueError: the file is neither a patch that applies to the base nor an archive.
        OSError: it cannot be read.
    """
    base, final, contents = subject.base, subject.final, subject.contents
    first = Undone(*undone(base, final, subject.by_hand))
    if wanted == "final":
        base = with_tests_of(base, final)
    elif wanted == "base":
        final = with_tests_of(final, base, keep_added=True)
    else:
        leaves, more = _given(subject, Path(wanted), scratch)
        contents = First(more.read, contents.read)
        base, final = changed(base, leaves), changed(final, leaves)
        first = Undone(*(changed(tree, leaves) for tree in first))
    before, after = subject.base, subject.final
    touched = {*differing(before, base), *differing(after, final)}
    told = TestFiles(
        state=wanted,
        agent_written=names(
            [path for path in added_or_changed(before, after) if path not in subject.by_hand]
        ),
        deleted=names(removed(before, after)),
        restored=names(sorted(touched)),
    )
    same = first.base.hash() == base.hash() and first.final.hash() == final.hash()
    return replace(
        subject,
        base=base,
        final=final,
        contents=contents,
        files=told,
        undone=None if same else first,
    )


def _given(
    subject: Subject, file: Path, scratch: Path
) -> tuple[dict[bytes, Leaf | None], Contents]:
    """Return what a file says of paths."""
    if not file.is_file():
        raise FileNotFoundError(
            f"--tests-from {file}: there is no such file; final and base need no file"
        )
    if tarfile.is_tarfile(file):
        return from_tar(file, subject.base.algorithm)
    patched, contents = apply(subject.base, subject.contents, file, scratch)
    return _changes(subject.base, patched), contents


def _changes(before: Tree, after: Tree) -> dict[bytes, Leaf | None]:
    there = dict(after.leaves())
    return {path: there.get(path) for path in differing(before, after)}
