"""The file of a verdict, `TRACE.verdict.json`: written whole, and read with distrust.

What may come in here was perhaps written by somebody else, or cut off. Where the file is kept is
not decided here.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from traceproof.replay import plainjson
from traceproof.replay.privatefile import write_private
from traceproof.replay.verdict import VERSION, TestVerdict, Verdict

SUFFIX = ".verdict.json"
MOST = 256 * 2**20
"""Bytes of a verdict that is read; one of 10,000 tests has about 20 MiB."""

_LINE = 300
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u2030-\u2065\u2070-\ud7ff\ue000-\U0010ffff]+")


class _Version(msgspec.Struct):
    traceproof_verdict: int


def read(path: Path) -> Verdict:
    """Read a verdict.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none, is damaged, contradicts itself, or is newer than this program.
    """
    data = _content(path)
    try:
        if msgspec.json.decode(data, type=_Version).traceproof_verdict > VERSION:
            raise ValueError(f"{path}: written by a newer traceproof; update this one")
        verdict = msgspec.json.decode(data, type=Verdict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = _UNPRINTABLE.sub("?", str(error))[:_LINE]
        raise ValueError(f"{path}: no verdict, or a damaged one: {why}") from None
    if problem := next(problems(verdict), ""):
        why = _UNPRINTABLE.sub("?", problem)[:_LINE]
        raise ValueError(f"{path}: this verdict contradicts itself: {why}")
    return verdict


def write(path: Path, verdict: Verdict) -> None:
    """Write a verdict in place of the one before.

    Raises:
        OSError: the disk is full, or fails.
    """
    write_private(path, plainjson.encode(verdict))


def problems(verdict: Verdict) -> Iterator[str]:
    """Yield what a verdict says that cannot be true, for a reader who relies on it."""
    if verdict.verified and (verdict.class_, verdict.outcome) != ("steady", "resolved"):
        yield f"verified, but {verdict.class_} and {verdict.outcome}"
    known = {test.test: test for test in verdict.tests}
    if len(known) < len(verdict.tests):
        yield "a test is listed twice"
    for test in verdict.tests:
        yield from _impossible(test)
    steady = {*verdict.fail_to_pass, *verdict.pass_to_pass, *verdict.pass_to_fail}
    for name in sorted(steady | set(verdict.taken_out)):
        if name not in known:
            yield f"{name} is in a list, but not among the tests"
    for name in sorted(steady & set(verdict.taken_out)):
        yield f"{name} is taken out, and counted"
    if "/" in verdict.subject.runs_file:
        yield f"its file of runs is not beside it: {verdict.subject.runs_file}"


def _impossible(test: TestVerdict) -> Iterator[str]:
    counts = (0, test.errors, test.failures, test.runs)
    if list(counts) != sorted(counts) or not 0 <= test.flips <= test.runs:
        yield f"{test.test}: the counts of its runs do not fit together"
    if not 0 <= test.bound <= 1:
        yield f"{test.test}: a rate of {test.bound:g}"


def _content(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold us
    with open(handle, "rb") as file:  # noqa: PTH123 - it is open
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path}: not a file")
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise ValueError(f"{path}: larger than {MOST // 2**20} MiB: no verdict")
    return data
