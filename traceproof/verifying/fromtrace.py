"""The subject from a trace: the tree it began with, the tree it ended with, the tests it ran."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

from traceproof.commandfacts import args_of, cases
from traceproof.evidence import Evidence
from traceproof.recorder import semconv
from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span
from traceproof.recorder.task import Type
from traceproof.recorder.workspace.objects import Objects
from traceproof.replay.testcommand import TestCommand, from_script
from traceproof.trace import Trace
from traceproof.verifying.clones import find, repository
from traceproof.verifying.subject import Origin, Subject, place_of
from traceproof.workspaces import Clone, Source, Workspaces, find_clone

_PIECE = 1 << 20
_BY_HAND = "human"


def from_trace(path: Path, clone: str, here: Path, stack: ExitStack) -> Subject:
    """Return the subject.

    Args:
        path: the trace's file.
        clone: a repository that has the commit, by its folder or URL; empty: the recorded folder,
            else `here`.
        here: where the command runs.
        stack: closes what the subject's contents are read from.

    Raises:
        ValueError: the trace has no workspaces, or no repository has its commit.
        OSError: it cannot be read.
    """
    reader = stack.enter_context(TraceReader.open(path))
    try:
        workspaces = Workspaces(reader)
    except ValueError as error:
        hint = "verify it by --repo URL_OR_PATH --commit SHA --patch FILE"
        raise ValueError(f"{error}; {hint}") from None
    named = repository(clone, workspaces.commit, os.environ) if clone else None
    found = _clone(workspaces, named, here)
    start, end = workspaces.steps[0], workspaces.steps[-1]
    base = workspaces.tree(start, found.leaves)
    final = workspaces.tree(end, found.leaves)
    objects = stack.enter_context(Objects(found.git, workspaces.algorithm))
    with Trace(path) as trace:
        evidence = Evidence(trace.tree, trace.tree.root or Span("", "", ""))
        tests = widest_tests(trace, evidence, workspaces.root)
        task = evidence.root.attributes.get(semconv.TASK_TYPE)
    return Subject(
        origin=Origin(
            kind="trace",
            trace=str(path.resolve()),
            trace_digest=digest(path),
            repository=clean_url(workspaces.url) or workspaces.root,
            commit=workspaces.commit,
            base_tree=base.hash(),
            final_tree=final.hash(),
        ),
        base=base,
        final=final,
        contents=Source(workspaces, objects),
        workspace=place_of(workspaces.root),
        clone=found.git.folder if workspaces.commit else None,
        date=_date(workspaces, found, start.time),
        tests=tests,
        task_type=_type(task),
        by_hand=_by_hand(workspaces),
        notes=tuple(_notes(workspaces)),
    )


def _clone(workspaces: Workspaces, named: Path | None, here: Path) -> Clone:
    try:
        return find_clone(workspaces, named, here)
    except ValueError as error:  # `checkout` has another name for the option
        raise ValueError(str(error).replace("--repository", "--repo URL_OR_PATH")) from None


def widest_tests(trace: Trace, evidence: Evidence, root: str) -> TestCommand | None:
    """Return the command of the widest run of tests: the most cases; of several such the last."""
    spans = {span.span_id: span for span in trace.tree.spans}
    best: tuple[int, TestCommand] | None = None
    for run in evidence.test_runs:
        command = spans.get(run.parent_id)
        found = _command(trace, command, root) if command else None
        if found is not None:
            count = max(evidence.case_count(run), sum(1 for _ in cases(run)))
            if best is None or count >= best[0]:
                best = count, found
    return best[1] if best else None


def digest(path: Path) -> str:
    """Return `sha256:…` of a file."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            hashed.update(piece)
    return f"sha256:{hashed.hexdigest()}"


def _command(trace: Trace, span: Span, root: str) -> TestCommand | None:
    told = trace.content.with_only(span, semconv.COMMAND_SCRIPT, semconv.PROCESS_COMMAND_ARGS)
    script = str(told.attributes.get(semconv.COMMAND_SCRIPT, ""))
    words = args_of(told.attributes.get(semconv.PROCESS_COMMAND_ARGS))
    folder = str(span.attributes.get(semconv.PROCESS_WORKING_DIRECTORY, "")) or root
    return from_script(script or shlex.join(words), folder, root)


def _date(workspaces: Workspaces, clone: Clone, started: datetime) -> datetime:
    if not workspaces.commit:
        return started
    return find(clone.git.folder, workspaces.commit).date


def _type(told: object) -> Type | None:
    with suppress(ValueError):
        return Type(str(told))
    return None


def _by_hand(workspaces: Workspaces) -> frozenset[bytes]:
    """Return the paths that a person changed, and nobody else."""
    human, other = set[bytes](), set[bytes]()
    for step in workspaces.steps[1:]:
        by_hand = step.cause == "external" and step.name == _BY_HAND
        (human if by_hand else other).update(_paths(step.paths))
    return frozenset(human - other)


def _paths(told: tuple[str, ...]) -> Iterator[bytes]:
    """Yield the paths of lines like `M a.py`."""
    for line in told:
        yield line.partition(" ")[2].encode()


def _notes(workspaces: Workspaces) -> Iterator[str]:
    masked = sorted({path for step in workspaces.steps for path in step.masked})
    left_out = sorted({path for step in workspaces.steps for path in step.left_out})
    if masked:
        yield f"secrets are masked in {', '.join(masked[:3])}"
    if left_out:
        yield f"not in the trace: {', '.join(left_out[:3])}"
