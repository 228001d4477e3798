"""A verdict's reports, beside it: for people, for CI, and as evidence."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from traceproof.replay.exports import ctrf, intoto, junitxml
from traceproof.replay.html.page import page
from traceproof.replay.privatefile import write_private
from traceproof.replay.steps.report import Report
from traceproof.replay.verdict import Verdict
from traceproof.replay.verdictfile import SUFFIX


class Reports(NamedTuple):
    """The files; they share a folder and a beginning with the verdict."""

    html: Path
    ctrf: Path
    junit: Path
    intoto: Path

    @classmethod
    def at(cls, stem: Path) -> Reports:
        """Return those whose names begin so."""
        endings = (".html", ".ctrf.json", ".junit.xml", ".intoto.json")
        return cls(*(stem.with_name(stem.name + ending) for ending in endings))


def write_all(verdict: Verdict, stem: Path, replay: Report | None = None) -> Reports:
    """Write the reports of a verdict in place of those before.

    Args:
        verdict: what they tell.
        stem: the verdict's path without `.verdict.json`.
        replay: what came of replaying the recorded session, where that was done.

    Raises:
        OSError: the disk is full, or fails.
        ValueError: the verdict names nothing that was tested.
    """
    reports = Reports.at(stem)
    file = stem.name + SUFFIX
    write_private(reports.html, page(verdict, replay, file))
    write_private(reports.ctrf, ctrf.report(verdict))
    write_private(reports.junit, junitxml.suite(verdict, file))
    write_private(reports.intoto, intoto.statement(verdict))
    return reports
