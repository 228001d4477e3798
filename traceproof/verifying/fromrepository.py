"""The subject from a repository and a commit, or from a folder without git, and maybe a patch."""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.git import GitError
from traceproof.recorder.task import Type
from traceproof.recorder.workspace.base import commit_leaves
from traceproof.recorder.workspace.objects import Objects
from traceproof.recorder.workspace.tree import SUBMODULE, Tree
from traceproof.verifying.clones import Found, find, head, is_top, is_url, repository
from traceproof.verifying.contents import Contents, FromFolder, FromGit
from traceproof.verifying.patching import apply
from traceproof.verifying.subject import PLACE, Origin, Subject


class _Base(NamedTuple):
    """The base tree, and what is known of it."""

    tree: Tree
    contents: Contents
    date: datetime
    clone: Path | None = None
    commit: str = ""
    notes: tuple[str, ...] = ()


def from_repository(
    named: str,
    commit: str,
    patch: Path | None,
    *,
    task_type: Type | None,
    stack: ExitStack,
    scratch: Path,
) -> Subject:
    """Return the subject; its tests are not known yet.

    Args:
        named: a repository's URL or folder, or a folder without git.
        commit: what to begin from; empty for a folder without git.
        patch: what makes the final tree of the base; None: there is one tree alone.
        task_type: how before and after are compared.
        stack: closes what the subject's contents are read from.
        scratch: an empty folder, which stays as long as the subject is used.

    Raises:
        ValueError: there is no such commit, or the patch does not apply to it.
        OSError: a folder or file is missing, or the URL cannot be cloned.
    """
    if is_url(named) and not commit:
        raise ValueError(f"which commit of {clean_url(named)}? --commit SHA")
    folder = repository(named, commit, os.environ)
    base = _of_commit(folder, commit, stack) if commit else _of_folder(folder)
    final, contents = base.tree, base.contents
    if patch is not None:
        if not patch.is_file():
            raise FileNotFoundError(f"--patch {patch}: there is no such file")
        final, contents = apply(base.tree, base.contents, patch, scratch)
    return Subject(
        origin=Origin(
            kind="repository" if commit else "folder",
            repository=clean_url(named) if is_url(named) else str(folder),
            commit=base.commit,
            patch=str(patch.resolve()) if patch else "",
            patch_digest=_digest(patch) if patch else "",
            base_tree=base.tree.hash(),
            final_tree=final.hash(),
        ),
        base=base.tree,
        final=final,
        contents=contents,
        workspace=PLACE,
        clone=base.clone,
        date=base.date,
        tests=None,
        task_type=task_type,
        notes=base.notes,
    )


def _of_commit(folder: Path, revision: str, stack: ExitStack) -> _Base:
    found = find(folder, revision)
    tree = tree_of(found)
    objects = stack.enter_context(Objects(found.git, found.algorithm))
    left = sum(leaf.mode == SUBMODULE for _, leaf in tree.leaves())
    notes = (f"{left} submodules are left empty",) if left else ()
    return _Base(tree, FromGit(objects), found.date, folder, found.commit, notes)


def tree_of(found: Found) -> Tree:
    """Return what a commit holds.

    Raises:
        ValueError: it cannot be read, or holds what no workspace can.
    """
    tree = Tree(found.algorithm)
    try:
        leaves = commit_leaves(found.git, found.commit)
    except GitError as error:
        raise ValueError(str(error)) from None
    for path, leaf in leaves.items():
        tree.put(path, leaf)
    return tree


def _of_folder(folder: Path) -> _Base:
    if is_top(folder):
        at = head(folder)
        hint = f" (HEAD is {at[:12]})" if at else ""
        raise ValueError(f"{folder} is a git repository: which commit of it? --commit SHA{hint}")
    found = FromFolder(folder, "sha256")
    if not any(True for _ in found.tree.leaves()):
        raise ValueError(f"{folder}: there is no file in it")
    return _Base(found.tree, found, datetime.fromtimestamp(found.newest, UTC))


def _digest(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
