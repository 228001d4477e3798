"""Whether what happened between two moments may be kept: asked, not decided, in this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

GOING_ON = 2**63 - 1
"""The end of what has not ended; a clock that was set back does not come before it."""

Consents: TypeAlias = Callable[[int, int], bool]
"""Tells whether what happened between two moments (Unix nanoseconds) may be kept.

`GOING_ON` is the end of what is still under way.
"""


def always(_start: int, _end: int) -> bool:
    """Consent to everything."""
    return True
