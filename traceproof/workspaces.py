"""The workspace of every step of a trace: which steps there are, and what it held then.

A trace says how the workspace was at the start, as the difference from a commit, and what each step
changed. The commit's files come from a clone of the repository, all else from the trace. A trace is
not trusted: what does not fit together is an error. Writing files is the business of
`traceproof.checkout`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.git import Git, GitError
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Attributes, Event, Span
from traceproof.recorder.workspace.base import commit_leaves
from traceproof.recorder.workspace.changes import apply, decode
from traceproof.recorder.workspace.objects import Objects
from traceproof.recorder.workspace.tree import SUBMODULE, Leaf, Tree
from traceproof.spanobjects import moment

_SECONDS = 60.0
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_EVENTS = (semconv.SNAPSHOT_EVENT, semconv.EXTERNAL_CHANGE_EVENT)


class Step(msgspec.Struct, frozen=True):
    """Something that changed the workspace, and the hashes of its trees before and after."""

    number: int
    cause: str
    """`start`, `tool`, `command`, or `external`."""
    name: str
    """The tool call's or command's; for an external change who made it."""
    span_id: str
    time: datetime
    tree_before: str
    tree_after: str
    files: int
    paths: tuple[str, ...] = ()
    """As `git status` would tell them, the first hundred."""
    by: str = ""
    shared_with: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    changes: str = ""
    """The reference to the changeset."""


class Workspaces:
    """The workspaces of one trace, which stays open meanwhile."""

    def __init__(self, reader: TraceReader) -> None:
        """Find the steps.

        Raises:
            ValueError: there are none, or they do not fit together.
        """
        self.reader = reader
        self._facts: Attributes = {}
        self.steps = sorted(self._find(), key=lambda step: step.number)
        if not self.steps:
            why = self._facts.get(semconv.SNAPSHOT_PROBLEM) or ["it was recorded without"]
            lines = "; ".join(map(str, why)) if isinstance(why, list) else str(why)
            raise ValueError(f"{reader.path}: no snapshots of the workspace: {lines}")

    @property
    def commit(self) -> str:
        """The commit that the recording began with; empty where there was none."""
        found = str(self._facts.get(semconv.WORKSPACE_COMMIT, ""))
        if found and not _COMMIT.fullmatch(found):
            raise ValueError(f"{self.reader.path}: not a commit: {found[:80]!r}")
        return found

    @property
    def algorithm(self) -> str:
        """The repository's hash: `sha1` or `sha256`."""
        found = str(self._facts.get(semconv.WORKSPACE_HASH, "sha1"))
        if found not in ("sha1", "sha256"):
            raise ValueError(f"{self.reader.path}: not a hash of git's: {found[:40]!r}")
        return found

    @property
    def root(self) -> str:
        """Where the workspace was."""
        return str(self._facts.get(semconv.WORKSPACE_ROOT, ""))

    @property
    def url(self) -> str:
        """Where the repository is from, if that is known."""
        return str(self._facts.get(semconv.VCS_URL, ""))

    def step(self, number: int | None) -> Step:
        """Return the step of a number, or the last.

        Raises:
            ValueError: there is no such step.
        """
        if number is None:
            return self.steps[-1]
        for step in self.steps:
            if step.number == number:
                return step
        last = self.steps[-1].number
        raise ValueError(f"no step {number}: there are 0 to {last} (`traceproof checkout --list`)")

    def tree(self, step: Step, base: Mapping[bytes, Leaf]) -> Tree:
        """Return what the workspace held after a step.

        Args:
            step: the step.
            base: what the commit holds.

        Raises:
            ValueError: a step before it is missing, or is not what its hash says.
        """
        tree = Tree(self.algorithm)
        for path, leaf in base.items():
            tree.put(path, leaf)
        for number, at in enumerate(self.steps):
            if at.number != number:
                raise ValueError(f"{self.reader.path}: step {number} is missing")
            self._check(tree, at.tree_before, number - 1)
            if at.changes:
                apply(tree, decode(self.reader.resolve(at.changes)))
            self._check(tree, at.tree_after, number)
            if at.number == step.number:
                break
        return tree

    def _check(self, tree: Tree, expected: str, number: int) -> None:
        if tree.hash() != expected:
            what = f"step {number}" if number >= 0 else f"commit {self.commit or '(none)'}"
            raise ValueError(f"{self.reader.path}: {what} gives {tree.hash()}, not {expected}")

    def _find(self) -> Iterator[Step]:
        for record in self.reader.records():
            if record.from_agent:
                continue
            if not record.span.parent_id:
                self._facts = record.span.attributes
            for event in record.span.events:
                if event.name in _EVENTS:
                    yield _step(record.span, event)


def _step(span: Span, event: Event) -> Step:
    told = event.attributes
    try:
        return Step(
            number=int(str(told[semconv.SNAPSHOT_NUMBER])),
            cause=_cause(span, event),
            name=str(told.get(semconv.EXTERNAL_CHANGE_ACTOR, span.name)),
            span_id=span.span_id,
            time=moment(event.time),
            tree_before=str(told[semconv.TREE_BEFORE]),
            tree_after=str(told[semconv.TREE_AFTER]),
            files=int(str(told.get(semconv.SNAPSHOT_FILES, 0))),
            paths=_lines(told.get(semconv.SNAPSHOT_PATHS)),
            by=str(told.get(semconv.SNAPSHOT_BY, "")),
            shared_with=_lines(told.get(semconv.SNAPSHOT_SHARED_WITH)),
            masked=_lines(told.get(semconv.SNAPSHOT_MASKED)),
            left_out=_lines(told.get(semconv.SNAPSHOT_LEFT_OUT)),
            changes=str(told.get(semconv.REF + semconv.SNAPSHOT_CHANGES, "")),
        )
    except KeyError as error:
        raise ValueError(f"span {span.span_id}: a snapshot without {error.args[0]}") from None


def _cause(span: Span, event: Event) -> str:
    if event.name == semconv.EXTERNAL_CHANGE_EVENT:
        return "external"
    if not span.parent_id:
        return "start" if event.attributes.get(semconv.SNAPSHOT_BY) == "start" else "agent"
    is_tool = span.attributes.get(semconv.OPERATION_NAME) == "execute_tool"
    return "tool" if is_tool else "command"


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


class Source(NamedTuple):
    """Where contents come from: the trace, and a clone that has the commit."""

    workspaces: Workspaces
    objects: Objects

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content piece by piece.

        Raises:
            ValueError: the trace does not have it, or has it damaged.
            LookupError: the repository does not have it.
        """
        if leaf.ref:
            yield from self.workspaces.reader.iter_body(leaf.ref)
        elif leaf.mode != SUBMODULE:
            yield self.objects.read(leaf.oid)


class Clone(NamedTuple):
    """A repository that has the commit a recording began with, and what the commit holds."""

    git: Git
    leaves: dict[bytes, Leaf]


def find_clone(workspaces: Workspaces, named: Path | None, here: Path) -> Clone:
    """Find a repository that has the commit: the one that was named, the recorded one, or here.

    Raises:
        ValueError: none has it.
    """
    if not workspaces.commit:
        return Clone(Git(here, os.environ, _SECONDS), {})
    recorded = [Path(workspaces.root)] if workspaces.root else []
    places = [named] if named is not None else [*recorded, here]
    for place in places:
        git = Git(place, os.environ, _SECONDS)
        try:
            return Clone(git, commit_leaves(git, workspaces.commit))
        except GitError as error:
            why = str(error)
    asked = f" {named} ({why})" if named is not None else " the recorded folder, nor here"
    of = f" of {workspaces.url}" if workspaces.url else ""
    raise ValueError(
        f"commit {workspaces.commit} is not in{asked}: name a clone{of} with --repository"
    )
