"""What a build hands back."""

from __future__ import annotations

import msgspec

from traceproof.sandbox.environments.lock import Lock
from traceproof.sandbox.protocol import Image


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """A built environment."""

    image: Image
    lock: Lock
    key: str
    """Of everything that decided what was built."""
    made: tuple[str, ...] = ()
    """The layers that had to be built; empty: all was there."""
    test: str = ""
    report: str = ""
