"""What the process that becomes the shell is to do first: plain data, made by the program."""

from __future__ import annotations


class Plan:
    """The last steps before the shell, in this order; see `script` for how they are taken.

    Attributes:
        path: The executable to become.
        arguments: Its argument vector; none: the one the agent gave.
        environment: Its environment, as `NAME=value`; none: the one the agent gave.
        terminal: A descriptor of ours to make the controlling terminal of a new session.
        descriptors: Descriptors of ours, and the numbers they are to get.
        namespace: A descriptor of ours: the mount namespace to go to.
        here: A descriptor of ours: the working directory.
        directory: The path of the working directory, to be entered in that namespace.
        marker: Timer slack in nanoseconds: what tells launchers that a recorded command runs.
    """

    def __init__(self, path: bytes, marker: int) -> None:
        self.path = path
        self.marker = marker
        self.arguments: list[bytes] | None = None
        self.environment: list[bytes] | None = None
        self.terminal: int | None = None
        self.descriptors: list[tuple[int, int]] = []
        self.namespace: int | None = None
        self.here = -1
        self.directory = b"/"
