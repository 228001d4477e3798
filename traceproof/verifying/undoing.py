"""What undoes, in a box, that tests were changed on the way: from two trees to what is laid over.

Which tree is meant is worked out in `traceproof.verifying.restoring`.
"""

from __future__ import annotations

import io
import os
import tarfile
import time

from traceproof.recorder.workspace.tree import LINK, PROGRAM, SUBMODULE, Leaf, Tree
from traceproof.replay.runner import Overlay
from traceproof.replay.runs import Tree as Name
from traceproof.verifying.contents import Contents
from traceproof.verifying.subject import Subject
from traceproof.verifying.testfiles import differing


def overlays(subject: Subject) -> dict[Name, Overlay]:
    """Return for each tree what makes it the one that is graded by the tests of the beginning.

    Raises:
        OSError: a content cannot be read.
    """
    if subject.undone is None:
        return {}
    contents = subject.contents
    return {
        "base": overlay(subject.base, subject.undone.base, contents),
        "final": overlay(subject.final, subject.undone.final, contents),
    }


def overlay(there: Tree, wanted: Tree, contents: Contents) -> Overlay:
    """Return what makes one tree of another."""
    leaves = dict(wanted.leaves())
    paths = list(differing(there, wanted))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in paths:
            leaf = leaves.get(path)
            if leaf is not None and leaf.mode != SUBMODULE:
                _add(archive, os.fsdecode(path), leaf, b"".join(contents.read(leaf)))
    return Overlay(buffer.getvalue(), tuple(os.fsdecode(path) for path in paths))


def _add(archive: tarfile.TarFile, path: str, leaf: Leaf, content: bytes) -> None:
    member = tarfile.TarInfo(path)
    member.mtime = int(time.time())  # or bytecode of another content might be taken for its own
    if leaf.mode == LINK:
        member.type, member.linkname = tarfile.SYMTYPE, os.fsdecode(content)
        archive.addfile(member)
        return
    member.size, member.mode = len(content), 0o755 if leaf.mode == PROGRAM else 0o644
    archive.addfile(member, io.BytesIO(content))
