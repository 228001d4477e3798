"""What can be wrong with a trace file, apart from what the operating system says.

    ValueError
    └── TraceError
        ├── ForeignFile     not a trace file at all
        ├── FutureFormat    a trace of a version that this reader does not know
        ├── DamagedTrace    a trace file of which nothing can be read
        └── TraceInUse      a recorder has the file open
    LookupError
    └── TraceNotFound       no trace, or more than one, answers to a name

A missing or unreadable file is an `OSError`, and a file that is damaged in part is no error: the
reader reads the rest and says what is missing in `problems`. Each message is one line that says
what is wrong and, where it can be mended, how.
"""

# ruff: noqa: N818 - they are named for what was met, not for being errors

from __future__ import annotations


class TraceError(ValueError):
    """A file cannot be read as a trace."""


class ForeignFile(TraceError):
    """The file is something else."""


class FutureFormat(TraceError):
    """The file's format version is higher than this reader's."""


class DamagedTrace(TraceError):
    """No line of the file can be read."""


class TraceInUse(TraceError):
    """A recorder is still writing the file."""


class TraceNotFound(LookupError):
    """A name stands for no trace, or for several."""

    def __str__(self) -> str:
        """Give the message as it is: `KeyError` would quote it."""
        return str(self.args[0])
