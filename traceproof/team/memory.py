"""Keeps the memory of a process that runs for weeks from creeping up."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE = 128 << 10


def give_back_large_pieces() -> bool:
    """Have large pieces of memory go back to the system as soon as they are free.

    That is how glibc begins, but after the first such piece it keeps ever larger ones for itself,
    in which the compressors of later sessions then leave holes. Measured with 200 streams: 327 MB
    after five minutes and rising, against 262 MB and flat.

    Returns:
        False where the C library has no such setting: then all stays as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, _LARGE))
