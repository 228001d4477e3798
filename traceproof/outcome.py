"""What came of a recording."""

from __future__ import annotations

import msgspec

from traceproof.exits import ENVIRONMENT


class Outcome(msgspec.Struct, omit_defaults=True):
    """The agent's exit code and the trace; `lost` is why it is not whole, one line each.

    `tunnelled` counts connections that passed unread, by host.
    """

    exit_code: int
    agent: str
    trace: str = ""
    seconds: float = 0.0
    lost: list[str] = []
    notes: list[str] = []
    tunnelled: dict[str, int] = {}

    @property
    def code(self) -> int:
        """The agent's own exit code; 3 where that would be 0 and something was lost."""
        return self.exit_code or (ENVIRONMENT if self.lost else 0)
