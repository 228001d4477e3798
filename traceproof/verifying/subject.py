"""What is verified: two trees, the tests that separate them, and where all of it is from.

Data alone. It is put together from a trace (`fromtrace`) or from a repository (`fromrepository`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from traceproof.recorder.task import Type
from traceproof.recorder.workspace.tree import Tree
from traceproof.replay.testcommand import TestCommand
from traceproof.verifying.contents import Contents
from traceproof.verifying.testfiles import TestFiles

PLACE = "/workspace"
"""Where the workspace is in a box, unless a trace says where it was."""

_PLAIN = re.compile(r"(/[A-Za-z0-9_.@+-][A-Za-z0-9_.@+ -]*){1,40}")
_SYSTEM = frozenset(
    (
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "run", "sbin", "sys", "usr",
        "traceproof",
    )
)  # fmt: skip


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the subject is from; enough to find it again and to know it again."""

    kind: Literal["trace", "repository", "folder"]
    trace: str = ""
    """The trace's file."""
    trace_digest: str = ""
    """`sha256:…` of the file."""
    repository: str = ""
    """The repository's URL or path, without credentials."""
    commit: str = ""
    """Empty where there is none; `base_tree` stands for it then."""
    patch: str = ""
    """The patch's file."""
    patch_digest: str = ""
    base_tree: str
    """The hash that git gives the base tree, before any tests were restored."""
    final_tree: str


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """The trees as they are graded, test files restored; their hashes."""

    base: str
    final: str


class Undone(NamedTuple):
    """The trees by the tests of the beginning: what was made of these on the way is undone."""

    base: Tree
    final: Tree


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is verified."""

    origin: Origin
    base: Tree
    final: Tree
    contents: Contents
    workspace: str
    """The workspace's path in a box."""
    clone: Path | None
    """A repository that has the commit; None where there is no commit."""
    date: datetime
    """When the base was made: dependencies are chosen as of then."""
    tests: TestCommand | None
    """None where nothing tells how the tests are run."""
    task_type: Type | None
    tests_given: bool = False
    """Whether somebody asked for this command."""
    date_given: bool = False
    """Whether somebody asked for this date."""
    by_hand: frozenset[bytes] = frozenset()
    """Paths that were changed by a person while the agent worked."""
    files: TestFiles | None = None
    undone: Undone | None = None
    """None: the trees are graded by the tests of the beginning anyway."""
    notes: tuple[str, ...] = ()
    """What a reader of the verdict must know."""

    @property
    def has_before(self) -> bool:
        """Whether there is a before and an after."""
        return self.origin.base_tree != self.origin.final_tree

    @property
    def graded(self) -> Graded:
        """The hashes of the trees as they are graded."""
        return Graded(base=self.base.hash(), final=self.final.hash())


def place_of(root: str) -> str:
    """Return where a recorded workspace is put in a box: where it was, if that can be.

    What is no plain path, and a folder of the system, is `PLACE` instead.
    """
    names = root.split("/")[1:]
    plain = bool(_PLAIN.fullmatch(root)) and not {".", ".."} & set(names)
    if not plain or names[0] in _SYSTEM or names in (["tmp"], ["root"], ["home"], ["var"]):
        return PLACE
    return root
