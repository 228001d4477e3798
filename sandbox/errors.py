"""What can be wrong with a sandbox itself; a command that fails in one is a result, not an error.

    OSError
    └── SandboxError             the environment failed: exit code 3
        ├── SandboxUnavailable   no engine answers, or it went away
        ├── ImageFailed          an image is missing, or cannot be built
        └── OutOfRoom            the disk, or another limit of the machine, is reached

Each message is one line that says what is wrong and how to mend it.
"""

# ruff: noqa: N818 - they are named for what was met, not for being errors

from __future__ import annotations


class SandboxError(OSError):
    """The sandbox failed, whatever the command would have done."""


class SandboxUnavailable(SandboxError):
    """No engine answers, or the engine went away."""


class ImageFailed(SandboxError):
    """An image is missing, or cannot be built.

    Attributes:
        log: the end of what the build printed, at most some hundred lines.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class OutOfRoom(SandboxError):
    """The disk is full, or another limit of the machine is reached."""
