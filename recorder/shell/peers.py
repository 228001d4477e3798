"""What takes connections of one kind: a shell's, an MCP server's, a test run's.

The listener (`traceproof.recorder.shell.listener`) owns the sockets and calls these, always on its
own thread, which must not wait for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from traceproof.recorder.shell.connection import Hello, Packet

Fields: TypeAlias = Sequence[tuple[bytes, bytes]]

PASS: Fields = ((b"verdict", b"pass"),)
"""Tells a program to do as if it were not there: it is not to be recorded."""

LAUNCH: Fields = ((b"verdict", b"launch"),)
"""The same, where what is started is the agent: what leads it to our programs must stay."""

RECORD: Fields = ((b"verdict", b"record"),)


class Answer(Protocol):
    """Answers a hello; from any thread, and only the first time."""

    def __call__(self, fields: Fields = RECORD) -> None:
        """Let the program go on, with these fields."""


class Peer(Protocol):
    """One connection, from its hello to its end; `hung_up` or `close` is called once, at last."""

    def packets(self, packets: Sequence[Packet]) -> bool:
        """Take what came, at least one; True when nothing more will: then all is ended."""

    def look(self) -> None:
        """Put on record what has come since the last look; called about twice a second."""

    def hung_up(self, why: str) -> None:
        """End it with what is known: the connection is gone, and it had not said that it ended."""

    def close(self) -> None:
        """End it with what is known: the recording is over, and it goes on."""


PeerFactory: TypeAlias = Callable[[Hello, Answer], Peer | None]
"""Takes a connection; None to drop it. Whoever says nothing in time is answered for."""


class Post(Protocol):
    """Runs an action on the recorder's thread, after what was posted before it."""

    def __call__(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        """Run it; `at_once` where somebody waits for it."""
