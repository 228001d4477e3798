"""Compares two trees of a workspace, and says which of their files count.

Pure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from traceproof.recorder.workspace.ignore import Rules, ignored
from traceproof.recorder.workspace.policy import DEFAULTS
from traceproof.recorder.workspace.tree import Leaf, Tree
from traceproof.replay.steps.report import Difference, Path
from traceproof.replay.steps.rules import AGENT, CACHES

_CACHES = (Rules(DEFAULTS),)
_AGENT = b".aider"


def differing(recorded: Tree, replayed: Tree) -> Iterator[tuple[bytes, Leaf | None, Leaf | None]]:
    """Yield the paths that are not the same, with what is there, in order."""
    if recorded.hash() == replayed.hash():
        return
    before, after = dict(recorded.leaves()), dict(replayed.leaves())
    for path in sorted({*before, *after}):
        one, other = before.get(path), after.get(path)
        if not (one.same(other) if one else other is None):
            yield path, one, other


def excused(path: bytes, special: Mapping[bytes, str]) -> str:
    """Return the rule by which a path need not be as recorded; empty where there is none.

    Args:
        path: the path.
        special: rules for single paths.
    """
    if path in special:
        return special[path]
    if path.split(b"/", 1)[0].startswith(_AGENT):
        return AGENT
    return CACHES if hidden(path, _CACHES) else ""


def hidden(path: bytes, stack: tuple[Rules, ...]) -> bool:
    """Tell whether rules that hold everywhere ignore a path, or a folder it is in."""
    names = path.split(b"/")
    folders = any(ignored(stack, names[:depth], folder=True) for depth in range(1, len(names)))
    return folders or ignored(stack, names, folder=False)


def told(path: bytes, recorded: Leaf | None, replayed: Leaf | None) -> Path:
    """Say how a path differs."""
    name = os.fsdecode(path).encode(errors="backslashreplace").decode()
    return Path(
        path=name,
        what=_what(recorded, replayed),
        recorded=_leaf(recorded),
        replayed=_leaf(replayed),
    )


def _what(recorded: Leaf | None, replayed: Leaf | None) -> Difference:
    if recorded is None:
        return "extra"
    if replayed is None:
        return "missing"
    if recorded.mode[:2] != replayed.mode[:2]:
        return "kind"
    return "mode" if recorded.oid == replayed.oid else "content"


def _leaf(leaf: Leaf | None) -> str:
    return f"{leaf.mode} {leaf.oid}" if leaf is not None else ""
