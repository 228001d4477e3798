"""Whether a trace is finished, so that something can be made of it."""

from __future__ import annotations

from pathlib import Path

from traceproof.growing import is_recorded
from traceproof.recorder.errors import TraceError
from traceproof.recorder.reader import TraceReader


def is_finished(trace: Path, now: float, quiet: float) -> bool:
    """Tell whether nothing more is going to be recorded into a trace.

    Args:
        trace: its file.
        now: in Unix seconds.
        quiet: seconds without a change after which a trace counts that its recorder, killed maybe,
            never closed; where the store's file system has no locks, that alone tells.

    Raises:
        OSError: it cannot be read.
    """
    if is_recorded(trace):
        return False
    try:
        with TraceReader.open(trace) as reader:
            if reader.closed_properly:
                return True
    except TraceError:
        pass  # no trace at all, or not yet: what becomes of it says why, once it rests
    return now - trace.stat().st_mtime > quiet
