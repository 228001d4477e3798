"""Every recorded step is rebuilt from the trace, with the tree that git gives the folder."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.workspace import Observed, Project, events, read
from traceproof.checkout import check, write
from traceproof.recorder import semconv
from traceproof.recorder.workspace import snapshots
from traceproof.recorder.workspace.objects import Objects
from traceproof.workspaces import Source, Workspaces, find_clone


def rebuilt(path: Path, folder: Path, clone: Path | None = None) -> dict[int, str]:
    """Check out every step of a trace; return the trees of what is on the disk then."""
    trees: dict[int, str] = {}
    with read(path) as reader:
        workspaces = Workspaces(reader)
        found = find_clone(workspaces, clone, folder.parent)
        for step in workspaces.steps:
            target = folder / str(step.number)
            tree = workspaces.tree(step, found.leaves)
            with Objects(found.git, workspaces.algorithm) as objects:
                write(tree, target, Source(workspaces, objects), force=False)
            result = check(tree, target)
            assert (result.tree, result.wrong) == (step.tree_after, [])
            trees[step.number] = result.tree
    return trees


NAMES = [
    b"a", b"b.txt", b"sub", b"sub/c", b"sub/deep/d", b"with space", b"tab\there", b"line\nbreak",
    b'quo"te', b"back\\slash", b"latin-\xe9", b"\xff\xfe", "snow-\u2603".encode(), b"-dash",
    b"#hash",
    b"sub.x", b"sub/deep", b"sub-", b"z" * 200, b".hidden", b"\x01ctrl",
]  # fmt: skip
CONTENTS = [
    b"", b"one\n", b"no newline", b"\0binary\xff" * 50, b"crlf\r\n" * 3, b"$Id$\n",
    b"\xef\xbb\xbfbom\n",
    b"long line " * 2000, b"".join(b"%d\n" % n for n in range(30_000)),
]  # fmt: skip


class Vandal:
    """Makes random changes to a folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)

    def __call__(self) -> None:
        for _ in range(self.rng.randint(1, 5)):
            doing: Callable[[], None] = self.rng.choice(
                [self.write, self.write, self.edit, self.remove, self.rename, self.link, self.mode]
            )
            doing()

    def path(self) -> Path:
        return self.folder / os.fsdecode(self.rng.choice(NAMES))

    def file(self) -> Path | None:
        path = self.path()
        return path if path.is_file() and not path.is_symlink() else None

    def room(self) -> Path:
        """Make sure that something can be put at a path."""
        path = self.path()
        for above in path.parents[: len(path.parts) - len(self.folder.parts) - 1]:
            if above.is_symlink() or above.is_file():
                above.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        clear(path)
        return path

    def write(self) -> None:
        self.room().write_bytes(self.rng.choice(CONTENTS))

    def edit(self) -> None:
        path = self.file()
        if path is not None:
            with path.open("r+b") as file:
                file.seek(self.rng.randint(0, 5))
                file.write(bytes([self.rng.randrange(256)]))

    def remove(self) -> None:
        clear(self.path())

    def rename(self) -> None:
        source = self.path()
        if os.path.lexists(source):
            held = source.rename(self.folder / "held")
            held.rename(self.room())

    def link(self) -> None:
        targets = ["a", "/etc/passwd", "../..", "nowhere\udcff", "sub"]
        self.room().symlink_to(self.rng.choice(targets))

    def mode(self) -> None:
        path = self.file()
        if path is not None:
            path.chmod(self.rng.choice([0o644, 0o755, 0o600, 0o711]))


def clear(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("repository", [True, False])
@pytest.mark.parametrize("large", [True, False])
def test_whatever_happens_every_step_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, repository: bool, large: bool
) -> None:
    if large:  # so that `find` is asked, as for a large tree
        monkeypatch.setattr(snapshots, "WORTHWHILE", 0)
    project = Project(tmp_path / "project", repository=repository)
    vandal = Vandal(project.folder, seed)
    project.write("kept")
    vandal()
    vandal()
    if repository:
        project.commit()
        vandal()
    before = project.private() if repository else {}
    observed = Observed(project)
    truth = [project.tree()]
    tools = []
    for _ in range(12):
        tools.append(observed.step(vandal))
        truth.append(project.tree())
    path = observed.close()

    assert before == (project.private() if repository else {})
    ends = [observed.root.attributes[name] for name in (semconv.TREE_START, semconv.TREE_END)]
    assert ends == [truth[0], truth[-1]]
    assert [tool.span.attributes[semconv.TREE_AFTER] for tool in tools] == truth[1:]
    changed = [here for here, above in zip(truth[1:], truth, strict=False) if here != above]
    told = [event for tool in tools for event in events(tool.span)]
    assert [event.attributes[semconv.TREE_AFTER] for event in told] == changed
    shutil.rmtree(project.folder) if not repository else None
    trees = rebuilt(path, tmp_path / "out", project.folder if repository else None)
    assert list(trees.values()) == [truth[0], *changed]
    assert semconv.SNAPSHOT_PROBLEM not in observed.root.attributes
    assert not list((tmp_path / "store").rglob("workspace-*"))
