"""What the planner asks for: single sessions, and what came of them.

Between the experiments, which know why, and the scheduler, which knows in what box. Data alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import NamedTuple

from traceproof.replay.runs import Axis, Conditions, Session, SessionResult, Tree

AS_USUAL = Conditions()


class Ask(NamedTuple):
    """A session that somebody wants to see."""

    session: Session
    label: str
    """What it is, in words."""
    tree: Tree = "final"
    axis: Axis = "probe"
    value: str = ""
    conditions: Conditions = AS_USUAL
    box: str = ""
    """Names a box of its own, shared with those that say the same; empty: any."""
    tries: int = 3
    """How often it is run until it comes to its end."""
    moment: float = 0.0
    """Unix seconds that its wall clock is to show at the start; 0: as `conditions` say."""

    @property
    def exclusive(self) -> bool:
        """Whether nothing else may run at the same time."""
        return self.conditions.load > 0 or self.conditions.cpus > 0


class Answer(NamedTuple):
    """What came of it."""

    ask: Ask
    ref: str
    """`<run id>#<session>`."""
    session: SessionResult | None
    """None: it could not be brought to its end, or not in time."""


Job = Generator[list[Ask], list[Answer], None]
"""An experiment: asks for sessions that may run at the same time, and is sent their answers."""

Seeds = Callable[..., int]


def seeds_from(seed: int) -> Seeds:
    """Return a function from names to seeds: the same for the same names, unlike for others."""

    def seed_of(*names: object) -> int:
        text = "\0".join(str(name) for name in (seed, *names))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        return int.from_bytes(digest, "big") >> 1

    return seed_of


def usable(session: SessionResult) -> bool:
    """Return whether a session counts: it came to its end, and can be believed."""
    return session.complete and not session.problem


_BROKE_OFF = ("internal error", "timed out", "killed by signal", "ended early", "interrupted")
"""How a session may end too soon, and yet have told the truth up to there."""


def broke_off(session: SessionResult) -> bool:
    """Return whether a session ended too soon: what it reported is true, the rest is not known.

    What was forged, or contradicts itself, is believed in nothing.
    """
    return session.source == "plugin" and session.problem.startswith(_BROKE_OFF)
