"""The step replay that goes with a verdict: run after it, shown beside it, and never in its way.

How a replay is done is `traceproof.replaying`'s business; here is what a failed one comes to.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.cleaning import clean_url
from traceproof.replay.steps.report import Report
from traceproof.replaying import course
from traceproof.replaying.telling import Teller
from traceproof.sandbox.errors import SandboxError
from traceproof.verifying.asked import Asked, SandboxName


class Replayed(NamedTuple):
    """What came of it."""

    report: Report | None = None
    """None: there was none."""
    note: str = ""
    """What a reader of the verdict should know of it."""


def replayed(asked: Asked, sandbox: SandboxName, here: Path) -> Replayed:
    """Replay the steps of a verified trace; whatever stands in its way is a note.

    Args:
        asked: what was verified.
        sandbox: where it was.
        here: where the command runs.
    """
    about, place = asked.about, asked.place
    if not about.trace or not asked.effort.replay:
        return Replayed()
    wanted = course.Asked(
        trace=Path(about.trace),
        repository=about.repo,
        here=here,
        sandbox=sandbox,
        image=place.image,
        dockerfile=place.dockerfile,
        network=asked.effort.network,
    )
    try:
        report = course.replay(wanted, Teller())
    except (ValueError, LookupError, OSError, SandboxError) as error:
        why = str(error).replace(about.repo, clean_url(about.repo)) if about.repo else str(error)
        return Replayed(None, f"the recorded steps were not replayed: {why}")
    return Replayed(report, f"the recorded steps, replayed: {report.answer} ({report.reason})")
