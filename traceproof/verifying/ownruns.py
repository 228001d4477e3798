"""Which files of runs were made here by processes of this machine: noted in the user's cache.

A verdict may be somebody else's, and says where its runs ran. In a container that is no matter; to
build and run outside of one what a stranger's file names is. Nothing is read from that file here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from traceproof.verifying.clones import cache


def note(digest: str, environment: Mapping[str, str]) -> None:
    """Note that a file of runs was made here; it is known by its SHA-256, in hex.

    Raises:
        OSError: that cannot be written.
    """
    place = _place(environment)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / digest).touch(mode=0o600)


def is_noted(digest: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a file of runs was made here."""
    return digest.isalnum() and (_place(environment) / digest).is_file()


def _place(environment: Mapping[str, str]) -> Path:
    return cache(environment) / "local-runs"
