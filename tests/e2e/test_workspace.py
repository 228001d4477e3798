"""What real agents did to the workspace: each change on the step that made it, all rebuilt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agents import ALL
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, WROTE, Variant
from traceproof.checkout import check, write
from traceproof.proxy.testing import Say, Turn
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span
from traceproof.recorder.workspace.objects import Objects
from traceproof.workspaces import Source, Step, Workspaces, find_clone

pytestmark = pytest.mark.agents

CHANGES = "mkdir d; ln -s ../README d/link; chmod +x README; head -c 9 /dev/zero > d/bin"
WRITES_GIT = {"opencode"}
"""It makes a file in there, and snapshots of its own that touch the times of objects."""

REMOVES = "rm d/bin; mv README d/README"


def rebuilt(path: Path, folder: Path, clone: Path) -> list[Step]:
    """Check out every step; returns the steps, each of which came out as recorded."""
    with TraceReader.open(path) as reader:
        workspaces = Workspaces(reader)
        found = find_clone(workspaces, clone, clone)
        for step in workspaces.steps:
            tree = workspaces.tree(step, found.leaves)
            target = folder / str(step.number)
            with Objects(found.git) as objects:
                write(tree, target, Source(workspaces, objects), force=False)
            result = check(tree, target)
            assert (result.tree, result.wrong) == (step.tree_after, [])
    return workspaces.steps


def private(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Yield all that is in a `.git`."""
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        yield str(path), path.lstat().st_mtime_ns, hashlib.sha256(data).hexdigest()


def blame(done: Recorded, steps: list[Step]) -> dict[str, list[str]]:
    """Return what the tool call is called, or the command's, that made each change."""
    spans = {span.span_id: span for span in done.spans}
    found: dict[str, list[str]] = {}
    for step in steps[1:]:
        for path in step.paths:
            found.setdefault(path, []).append(_caller(spans, step))
    return found


def _caller(spans: dict[str, Span], step: Step) -> str:
    if step.cause == "external":
        return step.name
    span = spans[step.span_id]
    return str(span.attributes.get(semconv.COMMAND_SCRIPT, span.name))


@pytest.mark.parametrize(
    "variant", [variant for variant in ALL if variant.agent != "aider"], ids=lambda each: each.name
)
def test_every_change_is_on_the_step_that_made_it(
    stage: Stage, variant: Variant, tmp_path: Path
) -> None:
    turns = [
        Turn([Say(WROTE), variant.write(stage.workdir / HELLO, PROGRAM)]),
        Turn([Say("Some more."), variant.shell(CHANGES)]),
        Turn([Say("And less."), variant.shell(REMOVES)]),
        Turn(variant.finish, piece=3),
    ]
    variant.prepare(stage)
    before = list(private(stage.workdir / ".git"))

    done = variant.record(stage, turns)

    after = list(private(stage.workdir / ".git"))
    written = [row for row in after if row not in before and not row[0].endswith("/token")]
    assert not written or variant.agent in WRITES_GIT, written
    assert done.ended.returncode == 0, done.ended.stderr.decode()
    assert semconv.SNAPSHOT_PROBLEM not in done.root.attributes
    steps = rebuilt(done.path, tmp_path / "out", stage.workdir)
    made = blame(done, steps)
    for paths, text in ((["A d/link", "M README"], CHANGES), (["D README", "A d/README"], REMOVES)):
        assert all(text in "".join(made[path]) for path in paths), made
    (wrote,) = made[f"A {HELLO}"]
    assert wrote.startswith("execute_tool") or HELLO in wrote
    assert (tmp_path / "out" / str(steps[-1].number) / HELLO).read_text() == PROGRAM


def test_aider_edits_with_no_tool_call(stage: Stage, tmp_path: Path) -> None:
    variant = next(variant for variant in ALL if variant.agent == "aider")

    done = variant.record(stage, variant.turns(stage))

    steps = rebuilt(done.path, tmp_path / "out", stage.workdir)
    assert any(path.endswith(HELLO) for step in steps for path in step.paths)
    final = tmp_path / "out" / str(steps[-1].number)
    assert (final / HELLO).read_text() == (stage.workdir / HELLO).read_text()
