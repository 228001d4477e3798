"""`verify --repeat RUN_ID`: one run of a verdict again, alone, and whether it comes out the same.

The subject is found again and must be what it was; the environment is built from the verdict's
lock, so its packages are those of then.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.replay import verdictfile
from traceproof.replay.interrupts import interruptible
from traceproof.replay.runs import Run, RunResult
from traceproof.replay.runsfile import Entry, RunsFile
from traceproof.replay.verdict import Verdict
from traceproof.sandbox.environments.lock import Lock
from traceproof.verifying import ownruns
from traceproof.verifying.asked import Asked, Place, SandboxName
from traceproof.verifying.course import prepare
from traceproof.verifying.files import Files
from traceproof.verifying.fromtrace import digest
from traceproof.verifying.gathering import gather
from traceproof.verifying.repeated import Repeated, compared
from traceproof.verifying.scratch import scratch_folder
from traceproof.verifying.subject import Subject
from traceproof.verifying.telling import Teller

_SHOWN = 3


class _Wanted(NamedTuple):
    """A stored run, or one session of it."""

    run: Run
    result: RunResult


def repeat(
    wanted: str,
    kept: Files,
    teller: Teller,
    here: Path | None = None,
    sandbox: SandboxName = "auto",
) -> Repeated:
    """Run a stored run again.

    Args:
        wanted: a run's id, or a session's: `final/order/2#5`.
        kept: the verdict's files.
        teller: is told what is being done.
        here: where the command runs.
        sandbox: where it is run; `auto`: where it was, save that no file of somebody else's has
            something run outside of containers.

    Raises:
        ValueError: the verdict or the file of runs is damaged, there is no such run, or the
            subject is not what it was.
        SandboxError: the environment failed.
        OSError: a file cannot be read.
    """
    verdict = verdictfile.read(kept.verdict)
    asked, entry = _stored(verdict, kept, wanted)
    then = session_of(entry, wanted)
    place = place_of(asked.place, verdict, sandbox)
    with interruptible(), scratch_folder() as scratch, ExitStack() as stack, teller:
        subject = gather(asked.about, here or Path.cwd(), scratch, stack)
        _check(subject, verdict, kept)
        tree = then.run.tree
        lock = _lock(verdict, kept) if tree == "final" else None
        stage = prepare(subject, place, scratch, teller, only=tree, lock=lock)
        teller.doing(f"{wanted} again")
        try:
            run = at_the_same_time(then.run, then.result.started, time.time())
            now = stage.runner(place.timeout).run(run)
        finally:
            stage.boxes.stop("it was stopped")
    return compared(wanted, then.run, then.result, now)


def place_of(then: Place, verdict: Verdict, sandbox: SandboxName) -> Place:
    """Return where a run is run again.

    Args:
        then: where it was, as the file of runs says.
        verdict: the one that it is from.
        sandbox: what was asked for now.

    Raises:
        ValueError: it would be run by processes of this machine, because a file says so that was
            not made here.
    """
    if sandbox != "auto":
        return msgspec.structs.replace(then, sandbox=sandbox)
    if then.sandbox == "local" and not ownruns.is_noted(verdict.subject.runs_sha256, os.environ):
        raise ValueError(
            "this verdict was not made here, and its runs were no containers': --sandbox docker "
            "runs what it names in one, --sandbox local without"
        )
    return then


def _stored(verdict: Verdict, kept: Files, wanted: str) -> tuple[Asked, Entry]:
    if not kept.runs.is_file():
        raise FileNotFoundError(f"{kept.runs}: the runs of this verdict are not there")
    if digest(kept.runs) != f"sha256:{verdict.subject.runs_sha256}":
        raise ValueError(f"{kept.runs}: these are not the runs that {kept.verdict.name} is from")
    known = []
    with RunsFile(kept.runs) as runs:
        asked = runs.asked(Asked)
        for entry in runs.entries():
            if entry.run.id == wanted.partition("#")[0]:
                return asked, entry
            known.append(entry.run.id)
    near = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
    raise ValueError(f"no run {wanted!r} in {kept.verdict.name}; there are {len(known)}: {near}")


def session_of(entry: Entry, wanted: str) -> _Wanted:
    """Return a run, or of it one session alone, with the time at which that began.

    Raises:
        ValueError: it has no such session.
    """
    name, mark, number = wanted.partition("#")
    if not mark:
        return _Wanted(entry.run, entry.result)
    sessions = entry.run.sessions
    if not number.isdecimal() or int(number) >= len(sessions):
        last = len(sessions) - 1
        raise ValueError(f"no session {wanted!r}: those of {name} are {name}#0 to #{last}")
    at = int(number)
    run = msgspec.structs.replace(entry.run, sessions=(sessions[at],))
    done = entry.result
    began = done.started + sum(session.seconds for session in done.sessions[:at])
    one = msgspec.structs.replace(done, sessions=done.sessions[at : at + 1], started=began)
    return _Wanted(run, one)


def at_the_same_time(run: Run, started: float, now: float) -> Run:
    """Return a run with its clock put to what it showed then, where it was put at all.

    Args:
        run: as it was run.
        started: when, in Unix seconds.
        now: when it is run again.
    """
    conditions = run.conditions
    if not conditions.clock:
        return run
    ahead = float(round(conditions.clock + started - now))
    return msgspec.structs.replace(run, conditions=msgspec.structs.replace(conditions, clock=ahead))


def _check(subject: Subject, verdict: Verdict, kept: Files) -> None:
    """Make sure that the trees are those of the verdict."""
    base = subject.graded.base if subject.has_before else ""
    if (base, subject.graded.final) != (verdict.subject.base_tree, verdict.subject.final_tree):
        raise ValueError(
            f"{subject.origin.trace or subject.origin.repository} is not what it was when "
            f"{kept.verdict.name} was made: verify it anew"
        )


def _lock(verdict: Verdict, kept: Files) -> Lock | None:
    if verdict.environment is None or not verdict.environment.lock:
        return None
    try:
        return msgspec.convert(verdict.environment.lock, Lock)
    except msgspec.ValidationError as error:
        raise ValueError(f"{kept.verdict}: its environment's lock is damaged: {error}") from None
