"""What a workspace may be, and what a snapshot makes of it; git says what is right."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.workspace import Observed, Project, environment, events, paths, read, settle
from traceproof.recorder import semconv
from traceproof.recorder.workspace import contents
from traceproof.recorder.workspace.patches import Patches
from traceproof.recorder.workspace.tree import Leaf
from traceproof.workspaces import Workspaces


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def start(observed: Observed) -> str:
    return str(observed.root.attributes[semconv.TREE_START])


def at_start(observed: Observed) -> list[str]:
    return paths(events(observed.root)[0])


def left_out(observed: Observed) -> list[str]:
    found = events(observed.root)[0].attributes.get(semconv.SNAPSHOT_LEFT_OUT, [])
    assert isinstance(found, list)
    return [str(line) for line in found]


def test_a_clean_checkout_has_the_commits_tree(project: Project) -> None:
    project.write("a.py")
    project.write("run.sh", "true\n").chmod(0o755)
    (project.folder / "link").symlink_to("a.py")
    project.commit()
    before = project.private()
    observed = Observed(project)
    observed.close()

    assert start(observed) == project.git("rev-parse", "HEAD^{tree}")
    assert observed.root.attributes[semconv.WORKSPACE_COMMIT] == project.git("rev-parse", "HEAD")
    assert at_start(observed) == []
    assert project.private() == before


def test_a_dirty_start_is_told_against_the_commit(project: Project) -> None:
    for name in ("changed", "staged", "gone", "same"):
        project.write(name, name)
    project.commit()
    project.write("changed", "now")
    project.write("staged", "now")
    project.git("add", "staged")
    (project.folder / "gone").unlink()
    project.write("new/untracked")
    observed = Observed(project)
    observed.close()

    assert start(observed) == project.tree()
    assert at_start(observed) == ["M changed", "D gone", "A new/untracked", "M staged"]


def test_no_commit_yet_and_no_repository_keep_everything(tmp_path: Path) -> None:
    for repository in (True, False):
        project = Project(tmp_path / str(repository), repository=repository)
        project.write("a/b")
        observed = Observed(project)
        path = observed.close()
        assert start(observed) == project.tree()
        with read(path) as reader:
            workspaces = Workspaces(reader)
            leaves = list(workspaces.tree(workspaces.step(0), {}).leaves())
        assert [(name, bool(leaf.ref)) for name, leaf in leaves] == [(b"a/b", True)]
        (tmp_path / "truth.git" / "index").unlink()


def test_what_git_ignores_is_left_out_unless_it_is_tracked(project: Project) -> None:
    project.write(".gitignore", "build/\n*.log\n!keep.log\n")
    project.write("build/kept.txt")
    project.git("add", "-f", "build/kept.txt")
    project.commit()
    project.write(".git/info/exclude", "private\n")
    for name in ("build/out.o", "x.log", "keep.log", "private", "sub/y.log"):
        project.write(name)
    project.write("forced.log")
    project.git("add", "-f", "forced.log")
    observed = Observed(project)
    tool = observed.step(lambda: project.write("build/kept.txt", "changed\n"))
    nothing = observed.step(lambda: project.write("build/more.o"))
    hidden = observed.step(lambda: project.write(".gitignore", "*.txt\n"))
    shown = paths(events(hidden.span)[0])
    observed.close()

    assert at_start(observed) == ["A forced.log", "A keep.log"]
    assert paths(events(tool.span)[0]) == ["M build/kept.txt"]
    assert not events(nothing.span)
    assert shown == ["M .gitignore", "A build/more.o", "A build/out.o", "A sub/y.log", "A x.log"]
    assert "core.excludesFile" in str(observed.root.attributes[semconv.WORKSPACE_RULE])


def test_what_the_agent_adds_by_force_is_seen(project: Project) -> None:
    project.write(".gitignore", "*.log\n")
    project.commit()
    observed = Observed(project)
    project.write("a.log")
    tool = observed.step(lambda: project.git("add", "-f", "a.log"))
    observed.close()

    assert paths(events(tool.span)[0]) == ["A a.log"]


def test_ignored_files_too_where_that_is_asked(project: Project) -> None:
    project.write(".gitignore", "*.log\n")
    project.commit()
    project.write("a.log")
    observed = Observed(project, ignored=True)
    observed.close()

    assert at_start(observed) == ["A a.log"]
    assert start(observed) == project.tree("-f")


def test_the_store_and_all_git_folders_are_left_out(project: Project) -> None:
    project.commit()
    observed = Observed(project, store=project.folder / "traces-here")
    tool = observed.step(lambda: project.write("traces-here/traces/t"))
    nested = Project(project.folder / "nested")
    nested.write("inner")
    nested.commit()
    settle()
    clone = observed.step(lambda: project.write("nested/more"))
    observed.close()

    assert not events(tool.span)
    assert [path for event in events(clone.span) for path in paths(event)] == ["A nested/more"]
    assert "A nested/inner" in [path for event in events(observed.root) for path in paths(event)]


def test_a_worktree_has_its_own_commit(project: Project, tmp_path: Path) -> None:
    project.write("a")
    project.commit()
    project.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    before = project.private()
    tree = Project.__new__(Project)
    tree.folder, tree.environment, tree.home = tmp_path / "tree", project.environment, project.home
    observed = Observed(tree)
    tool = observed.step(lambda: tree.write("a", "changed\n"))
    observed.close()

    assert at_start(observed) == []
    assert project.private() == before
    assert "-x\n+changed\n" in diff_of(observed, tool.span.span_id)


def diff_of(observed: Observed, span_id: str) -> str:
    with read(observed.path) as reader:
        (span,) = [span for span in reader.spans(inline=True) if span.span_id == span_id]
    (event,) = events(span)
    return str(event.attributes[semconv.SNAPSHOT_DIFF])


def test_a_submodule_is_its_commit_and_its_content_is_said(
    project: Project, tmp_path: Path
) -> None:
    library = Project(tmp_path / "library")
    library.write("l.py")
    first = library.commit()
    project.git("submodule", "--quiet", "add", str(library.folder), "lib")
    project.commit()
    observed = Observed(project)
    edited = observed.step(lambda: project.write("lib/l.py", "changed\n"))
    moved = observed.step(
        lambda: project.git("commit", "-qam", "in the submodule", cwd=project.folder / "lib")
    )
    observed.step(lambda: project.git("submodule", "deinit", "-f", "lib"))
    path = observed.close()

    assert left_out(observed) == ["lib: a submodule: its content is not recorded"]
    (event,) = events(edited.span)
    assert event.attributes[semconv.SNAPSHOT_LEFT_OUT] == [
        "lib: a submodule: its content changed, which is not recorded"
    ]
    assert paths(event) == []
    assert [paths(event) for event in events(moved.span)] == [["M lib"]]
    with read(path) as reader:
        workspaces = Workspaces(reader)
        leaves = dict(workspaces.tree(workspaces.step(None), base(project)).leaves())
    assert leaves[b"lib"].mode == "160000"
    assert leaves[b"lib"].oid not in ("", first)


def test_the_agent_may_commit_rebase_and_collect_garbage(project: Project) -> None:
    for number in range(3):
        project.write("a", f"{number}\n" * 50)
        project.commit()
    observed = Observed(project)
    truth = []

    def amend() -> None:
        project.write("a", "again\n")
        project.git("commit", "-qa", "--amend", "-m", "again")

    def forget() -> None:
        project.git("reset", "-q", "--hard", "HEAD~2")
        project.git("reflog", "expire", "--expire=now", "--all")
        project.git("gc", "-q", "--prune=now")

    tools = []
    for change in (project.commit, amend, lambda: project.git("checkout", "-q", "HEAD~1"), forget):
        tools.append(observed.step(change))
        truth.append(project.tree())
    observed.close()

    assert [tool.span.attributes[semconv.TREE_AFTER] for tool in tools] == truth
    assert [len(events(tool.span)) for tool in tools] == [0, 1, 1, 1]


def test_bytes_are_those_on_the_disk_whatever_is_configured(project: Project) -> None:
    project.git("config", "core.autocrlf", "true")
    project.git("config", "filter.shout.clean", "tr a-z A-Z")
    project.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n*.f filter=shout\n")
    project.write("a.txt", "one\r\ntwo\r\n")
    project.write("b.id", "$Id$\n")
    project.write("c.f", "quiet\n")
    project.commit()
    (project.folder / "b.id").unlink()
    project.git("checkout", "b.id")
    observed = Observed(project)
    observed.close()

    assert start(observed) == project.tree()
    assert at_start(observed) == ["M a.txt", "M b.id", "M c.f"]


def test_nothing_that_a_repository_names_is_run(project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    project.write("a.txt", "a\n")
    project.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    project.commit()
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "filter.evil.clean", "filter.evil.smudge",
        "filter.evil.process", "diff.evil.textconv", "diff.evil.command", "core.sshCommand",
        "core.alternateRefsCommand", "uploadpack.packObjectsHook", "gpg.program",
    ):  # fmt: skip
        project.git("config", key, str(program))
    for hook in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        (project.folder / ".git" / "hooks" / hook).symlink_to(program)
    before = project.private()
    ran.unlink(missing_ok=True)
    observed = Observed(project)
    tool = observed.step(lambda: project.write("a.txt", "b\n"))
    observed.close()

    assert "-a\n+b\n" in diff_of(observed, tool.span.span_id)
    assert not ran.exists()
    assert project.private() == before


def test_long_files_are_left_out_and_that_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project.folder / "committed").open("wb") as file:
        file.truncate(40 << 20)
    project.commit()
    with (project.folder / "model.bin").open("wb") as file:
        file.truncate(100 << 20)
    observed = Observed(project)
    tool = observed.step(lambda: os.truncate(project.folder / "model.bin", 101 << 20))
    gone = observed.step(lambda: os.truncate(project.folder / "committed", 41 << 20))
    monkeypatch.setattr(contents, "MOST_ALL", 0)
    observed.close()

    assert left_out(observed) == [f"model.bin: {100 << 20} bytes, over {32 << 20}"]
    assert at_start(observed) == []
    (event,) = events(tool.span)
    assert event.attributes[semconv.SNAPSHOT_LEFT_OUT] == [
        f"model.bin: {101 << 20} bytes, over {32 << 20}"
    ]
    assert event.attributes[semconv.TREE_BEFORE] == event.attributes[semconv.TREE_AFTER]
    assert paths(events(gone.span)[0]) == ["D committed"]


def test_long_files_that_change_a_little_cost_a_little(project: Project) -> None:
    lines = [f"{number} {'x' * (number % 70)}\n" for number in range(100_000)]
    project.write("log", "".join(lines))
    project.write("db", os.urandom(2 << 20))
    project.commit()
    observed = Observed(project)

    def grow(number: int) -> None:
        lines.insert(5000 * number, f"another {number}\n")
        project.write("log", "".join(lines))
        with (project.folder / "db").open("r+b") as file:
            file.seek(number << 16)
            file.write(b"page")

    observed.step(lambda: grow(1))
    observed.writer.flush()
    once = observed.path.stat().st_size
    for number in range(2, 6):
        observed.step(lambda number=number: grow(number))  # type: ignore[misc]
    path = observed.close()

    assert path.stat().st_size - once < once / 2
    with read(path) as reader:
        workspaces = Workspaces(reader)
        leaves = dict(workspaces.tree(workspaces.step(None), base(project)).leaves())
        log = b"".join(reader.iter_body(leaves[b"log"].ref))
    assert log == "".join(lines).encode()


def test_pipes_sockets_and_devices_are_not_opened(project: Project) -> None:
    project.commit()
    os.mkfifo(project.folder / "fifo")
    here = Path.cwd()
    os.chdir(project.folder)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("sock")
    finally:
        os.chdir(here)
    project.write("file")
    observed = Observed(project)

    def replace() -> None:
        (project.folder / "file").unlink()
        os.mkfifo(project.folder / "file")

    tool = observed.step(replace)
    observed.close()

    assert left_out(observed) == ["fifo: a named pipe", "sock: a socket"]
    (event,) = events(tool.span)
    assert paths(event) == ["D file"]
    assert event.attributes[semconv.SNAPSHOT_LEFT_OUT] == ["file: a named pipe"]


def test_no_link_is_followed(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not the agent's business\n")
    project.write("in/file")
    project.commit()
    observed = Observed(project)

    def trick() -> None:
        (project.folder / "in" / "file").unlink()
        (project.folder / "in").rmdir()
        (project.folder / "in").symlink_to(outside)

    tool = observed.step(trick)
    observed.close()

    assert paths(events(tool.span)[0]) == ["A in", "D in/file"]
    assert project.tree() == observed.root.attributes[semconv.TREE_END]


def test_known_secrets_are_masked_in_what_is_kept(project: Project, tmp_path: Path) -> None:
    secret = "sk-fake-0123456789abcdef"
    project.write("settings.py", "KEY = None\n")
    project.commit()
    observed = Observed(project, secrets={"API_KEY": secret})
    tool = observed.step(lambda: project.write("settings.py", f"KEY = '{secret}'\n"))
    named = observed.step(lambda: project.write(f"dir-{secret}/file"))
    key = "-----BEGIN PRIVATE KEY-----\nMIIfake\n-----END PRIVATE KEY-----\n"
    private = observed.step(lambda: project.write("id_rsa", key))
    kept = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    path = observed.close()

    (event,) = events(tool.span)
    assert event.attributes[semconv.SNAPSHOT_MASKED] == ["settings.py"]
    assert "+KEY = '<SECRET:API_KEY>'" in diff_of(observed, tool.span.span_id)
    (event,) = events(named.span)
    assert str(event.attributes[semconv.SNAPSHOT_LEFT_OUT]).endswith("its name holds a secret']")
    (event,) = events(private.span)
    assert event.attributes[semconv.SNAPSHOT_LEFT_OUT] == ["id_rsa: a private key"]
    assert secret.encode() not in kept
    with read(path) as reader:
        workspaces = Workspaces(reader)
        leaves = dict(workspaces.tree(workspaces.step(None), base(project)).leaves())
        assert (
            b"".join(reader.iter_body(leaves[b"settings.py"].ref)) == b"KEY = '<SECRET:API_KEY>'\n"
        )
        assert secret not in str(list(reader.spans(inline=True)))


def base(project: Project) -> dict[bytes, Leaf]:
    listed = project.git("ls-tree", "-r", "HEAD").splitlines()
    rows = [line.replace("\t", " ").split(" ") for line in listed]
    return {name.encode(): Leaf(mode, oid) for mode, _, oid, name in rows}


def test_a_repository_with_longer_hashes(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", repository=False)
    project.git("init", "-q", "--object-format=sha256")
    project.write("a/b")
    project.commit()
    observed = Observed(project)
    tool = observed.step(lambda: project.write("a/b", "changed\n"))
    observed.close()

    assert start(observed) == project.git("rev-parse", "HEAD^{tree}")
    assert len(start(observed)) == 64
    assert "-x\n+changed\n" in diff_of(observed, tool.span.span_id)


def test_changes_within_one_tick_of_the_clock_are_all_seen(project: Project) -> None:
    project.commit()
    observed = Observed(project)
    path = project.write("a", "000\n")
    seen = []
    for number in range(60):
        path.write_text(f"{number:03}\n")
        observed.asks()
        seen.append(observed.steps._tree)
    observed.close()

    assert len(set(seen)) == 60


@pytest.fixture(name="shared")
def _shared() -> Iterator[Path]:
    """A folder that another user can get to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_a_file_that_others_may_not_read(shared: Path) -> None:
    project = Project(shared / "project")
    project.write("closed").chmod(0)
    project.write("folder/inner")
    (project.folder / "folder").chmod(0)
    project.write("open")
    environment(project.home)
    user = os.geteuid()
    if user == 0:  # whom nothing is closed to
        os.seteuid(1000)
    try:
        observed = Observed(project)
        observed.close()
    finally:
        os.seteuid(user)
        (project.folder / "folder").chmod(0o755)

    assert "A open" in at_start(observed)
    assert left_out(observed) == [
        "closed: cannot be read: Permission denied",
        "folder: cannot be read: Permission denied",
    ]


def test_a_full_disk_costs_the_diffs_and_nothing_else(project: Project) -> None:
    project.commit()
    observed = Observed(project)

    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    held = observed.steps._lookout._patches
    assert isinstance(held, Patches)
    held.put = full  # type: ignore[method-assign, assignment]
    tool = observed.step(lambda: project.write("a"))
    path = observed.close()

    assert observed.root.attributes[semconv.SNAPSHOT_PROBLEM] == [
        "no more diffs: No space left on device"
    ]
    assert paths(events(tool.span)[0]) == ["A a"]
    with read(path) as reader:
        assert len(Workspaces(reader).steps) == 2
