"""What a step did to the workspace, as the event that says so in the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event
from traceproof.recorder.untracked import readable
from traceproof.recorder.workspace.changes import Change, encode
from traceproof.recorder.workspace.contents import Blobs
from traceproof.recorder.workspace.credit import Owner
from traceproof.recorder.workspace.snapshots import Hashes

MOST_NAMED = 100
"""Paths that stand in an event itself; all of them are in the changeset."""


class Store(Blobs, Protocol):
    """Where contents and diffs go: `traceproof.recorder.writer.TraceWriter`."""

    def blob(self, data: bytes) -> str:
        """Store bytes and return the reference to them."""


def store_diff(store: Store, diff: bytes) -> str:
    """Store a diff and return the reference: to a text, where it is one."""
    try:
        return store.text(diff.decode())
    except UnicodeDecodeError:
        return store.blob(diff)


def make_event(
    changes: Sequence[Change], owner: Owner, hashes: Hashes, store: Store, number: int
) -> Event:
    """Make the event for changes of one owner, without the diff; stores the changeset."""
    name = semconv.SNAPSHOT_EVENT if owner.spans or owner.by else semconv.EXTERNAL_CHANGE_EVENT
    attributes: Attributes = {
        semconv.SNAPSHOT_NUMBER: number,
        semconv.TREE_BEFORE: hashes.before,
        semconv.TREE_AFTER: hashes.after,
        **_lists(changes),
    }
    if any(change.counts for change in changes):
        attributes[semconv.REF + semconv.SNAPSHOT_CHANGES] = store.text(encode(changes))
    if owner.by:
        attributes[semconv.SNAPSHOT_BY] = owner.by
    if owner.spans[1:]:
        attributes[semconv.SNAPSHOT_SHARED_WITH] = list(owner.spans[1:])
    if owner.actor:
        attributes[semconv.EXTERNAL_CHANGE_ACTOR] = owner.actor
    return Event(name, max((change.when for change in changes), default=0), attributes)


def _lists(changes: Sequence[Change]) -> Attributes:
    counted = sorted((change for change in changes if change.counts), key=_path)
    left_out = sorted((change for change in changes if change.why), key=_path)
    paths = [f"{change.letter} {readable(change.path)}" for change in counted]
    attributes: Attributes = {semconv.SNAPSHOT_FILES: len(counted)}
    for name, lines in (
        (semconv.SNAPSHOT_PATHS, paths),
        (semconv.SNAPSHOT_MASKED, [readable(change.path) for change in counted if change.masked]),
        (semconv.SNAPSHOT_LEFT_OUT, [f"{readable(c.path)}: {c.why}" for c in left_out]),
    ):
        if lines:
            attributes[name] = _shorten(lines)
    return attributes


def _path(change: Change) -> bytes:
    return change.path


def _shorten(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_NAMED
    return [*lines[:MOST_NAMED], f"and {more} more"] if more > 0 else lines
