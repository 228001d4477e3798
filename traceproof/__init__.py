"""Record coding agents at work, prove what reproduces, and let only that out as data."""

from traceproof.version import __version__

__all__ = ["__version__"]
