"""Removing what an exclusion wants gone, at once and after a recorder that was killed.

A running recorder goes on writing to a file that has no name any more, and at its end leaves a
marker in its place.
"""

from __future__ import annotations

from traceproof.recorder.consent import State
from traceproof.recorder.store import Store
from traceproof.recorder.switch import leftovers


def forget(store: Store, trace_id: str) -> None:
    """Remove what was written of a trace: its file and its log."""
    for path in store.traces_path.glob(f"*-{store.short_id(trace_id)}.*"):
        path.unlink(missing_ok=True)


def sweep(store: Store) -> None:
    """Finish what killed recordings were asked for, and remove what they left of their control."""
    for recording in leftovers(store.path):
        if recording.state is State.EXCLUDED:
            forget(store, recording.header.trace_id)
        recording.path.unlink(missing_ok=True)
