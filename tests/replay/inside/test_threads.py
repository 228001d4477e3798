"""How many threads were started."""

from __future__ import annotations

import threading

import pytest

from traceproof.replay.inside import threads


def test_threads_are_counted_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.STARTERS:
        if hasattr(threading, name):
            monkeypatch.setattr(threading, name, getattr(threading, name))
    started = threads.counter()

    for _ in range(3):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

    assert started() == 3
