"""From what was asked for to the subject, and its trees on the disk."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.checkout import check, write
from traceproof.recorder.task import Type
from traceproof.recorder.workspace.tree import Tree
from traceproof.replay.testcommand import from_option
from traceproof.verifying.asked import About, moment_of
from traceproof.verifying.fromrepository import from_repository
from traceproof.verifying.fromtrace import digest, from_trace
from traceproof.verifying.restoring import restore
from traceproof.verifying.subject import Subject


class Folders(NamedTuple):
    """The trees as they are graded; `base` is None where there is no before."""

    final: Path
    base: Path | None


def gather(about: About, here: Path, scratch: Path, stack: ExitStack) -> Subject:
    """Find the subject, its test files restored.

    Args:
        about: which one is meant.
        here: where the command runs.
        scratch: a folder that stays as long as the subject is used.
        stack: closes what its contents are read from.

    Raises:
        ValueError: what was asked for does not fit together, or is not there.
        OSError: a file cannot be read, or a repository not be cloned.
    """
    subject = _found(about, here, scratch, stack)
    if about.tests:
        subject = replace(subject, tests=from_option(about.tests), tests_given=True)
    if about.as_of:
        subject = replace(subject, date=moment_of(about.as_of), date_given=True)
    if about.task_type is not None:
        subject = replace(subject, task_type=about.task_type)
    return restore(subject, about.tests_from, _folder(scratch, "tests"))


def write_trees(subject: Subject, scratch: Path) -> Folders:
    """Write the trees into folders of their own.

    Raises:
        ValueError: what was written is not what the subject says: it changed meanwhile.
        OSError: the disk is full, or fails.
    """
    final = _write(subject, subject.final, _folder(scratch, "final"))
    base = _write(subject, subject.base, _folder(scratch, "base")) if subject.has_before else None
    return Folders(final, base)


def _found(about: About, here: Path, scratch: Path, stack: ExitStack) -> Subject:
    if about.trace and not (about.commit or about.patch):
        return from_trace(Path(about.trace), about.repo, here, stack)
    subject = from_repository(
        about.repo,
        about.commit,
        Path(about.patch) if about.patch else None,
        task_type=about.task_type or Type.REPAIR,
        stack=stack,
        scratch=_folder(scratch, "patched"),
    )
    return _with_trace(subject, Path(about.trace)) if about.trace else subject


def _with_trace(subject: Subject, trace: Path) -> Subject:
    """Say of a subject that was named which trace it belongs to."""
    bound = {"trace": str(trace.resolve()), "trace_digest": digest(trace)}
    return replace(subject, origin=msgspec.structs.replace(subject.origin, **bound))


def _write(subject: Subject, tree: Tree, folder: Path) -> Path:
    umask = os.umask(0o022)
    try:
        write(tree, folder, subject.contents, force=False)
    finally:
        os.umask(umask)
    wrong = check(tree, folder).wrong
    if wrong:
        raise ValueError(f"{wrong[0]} changed while it was read: try again")
    return folder


def _folder(scratch: Path, name: str) -> Path:
    folder = scratch / name
    folder.mkdir()
    return folder
