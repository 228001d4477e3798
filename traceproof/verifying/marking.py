"""Marks the tests of a verdict that the agent wrote itself, and says what became of test files."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from traceproof.replay.testcommand import TestCommand
from traceproof.replay.testids import is_in
from traceproof.replay.verdict import TestVerdict, Verdict
from traceproof.verifying.subject import Subject

_SHOWN = 3


def marked(verdict: Verdict, subject: Subject, command: TestCommand) -> Verdict:
    """Return a verdict with the agent's own tests marked, and notes on test files."""
    written = subject.files.agent_written if subject.files else ()
    tests = tuple(
        msgspec.structs.replace(test, agent_written=True)
        if is_in(test.test, written, command.folder)
        else test
        for test in verdict.tests
    )
    notes = (*verdict.notes, *_on_their_own(verdict, tests), *_notes(subject))
    return msgspec.structs.replace(verdict, tests=tests, notes=notes)


def _on_their_own(verdict: Verdict, tests: tuple[TestVerdict, ...]) -> Iterator[str]:
    """Say so where nothing but the agent's own tests shows that something was mended."""
    mended = [test for test in tests if test.test in verdict.fail_to_pass]
    if mended and all(test.agent_written for test in mended):
        yield "what fails before and passes after are tests alone that were written on the way"


def _notes(subject: Subject) -> Iterator[str]:
    yield from subject.notes
    if subject.files is None:
        return
    for names, what in (
        (subject.files.deleted, "test files that the final tree lacks"),
        (subject.files.agent_written, "test files that were written or changed on the way"),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield f"{what}: {', '.join(names[:_SHOWN])}{more}"
