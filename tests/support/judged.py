"""A verdict on two trees that are given as texts: real boxes, a real pytest, and few runs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support import localboxes
from traceproof.recorder.workspace.tree import FILE, Leaf, Tree, blob_id
from traceproof.replay.options import Options
from traceproof.replay.runner import Runner
from traceproof.replay.testcommand import TestCommand
from traceproof.replay.verdict import Verdict
from traceproof.replay.verification import Verification
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.verifying.contents import FromMemory
from traceproof.verifying.restoring import restore
from traceproof.verifying.subject import PLACE, Origin, Subject
from traceproof.verifying.testfiles import differing, names
from traceproof.verifying.undoing import overlays

PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
Files = Mapping[str, str]


def verdict(
    base: Files,
    final: Files,
    *,
    command: tuple[str, ...] = PYTEST,
    tests_from: str = "final",
    compared: bool = True,
    **options: Any,
) -> Verdict:
    """Verify that one tree became another; as few runs as there can be, unless they are given."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subject = restore(_subject(base, final), tests_from, scratch)
        images = {
            name: stack.enter_context(localboxes.image(_texts(tree, subject), python=True))
            for name, tree in (("base", subject.base), ("final", subject.final))
        }
        runner = Runner(
            LocalSandbox(),
            images,  # type: ignore[arg-type]
            TestCommand(argv=command),
            undone=overlays(subject),
            seconds=30.0,
        )
        few: dict[str, Any] = {"max_flake_rate": 0.9, "confidence": 0.5, "axes": ()}
        written = subject.files.agent_written if subject.files else ()
        few["written"] = written
        few["unlike"] = names(list(differing(subject.base, subject.final)))
        few["undone"] = compared and subject.undone is not None
        wanted = {**few, "command": command, "base": compared, **options}
        verification = Verification(Options(**wanted))
        with ThreadPoolExecutor(4) as pool:
            while not verification.done:
                runs = verification.next(4)
                for run, result in zip(runs, pool.map(runner.run, runs), strict=True):
                    verification.feed(run, result)
        return verification.verdict()


def _subject(base: Files, final: Files) -> Subject:
    trees = [_tree(base), _tree(final)]
    texts = [*base.values(), *final.values()]
    contents = {blob_id("sha1", text.encode()): text.encode() for text in texts}
    return Subject(
        origin=Origin(kind="folder", base_tree=trees[0].hash(), final_tree=trees[1].hash()),
        base=trees[0],
        final=trees[1],
        contents=FromMemory(contents),
        workspace=PLACE,
        clone=None,
        date=datetime.now(UTC),
        tests=None,
        task_type=None,
    )


def _tree(files: Files) -> Tree:
    tree = Tree()
    for path, text in files.items():
        tree.put(path.encode(), Leaf(FILE, blob_id("sha1", text.encode())))
    return tree


def _texts(tree: Tree, subject: Subject) -> dict[str, str]:
    read = subject.contents.read
    return {path.decode(): b"".join(read(leaf)).decode() for path, leaf in tree.leaves()}
