"""How many threads were started so far."""

import threading
from typing import Any, Callable, List

STARTERS = ("_start_new_thread", "_start_joinable_thread")
"""What `Thread.start` calls: the second since Python 3.13."""


def counter() -> Callable[[], int]:
    """Count the threads that are started from now on; return a function that says how many."""
    started: List[None] = []
    for name in STARTERS:
        if hasattr(threading, name):
            setattr(threading, name, _counted(getattr(threading, name), started))
    return started.__len__


def _counted(start: Any, started: List[None]) -> Any:
    def counted(*args: Any, **kwargs: Any) -> Any:
        started.append(None)
        return start(*args, **kwargs)

    return counted
