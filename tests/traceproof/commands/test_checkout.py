from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Observed, Project
from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Span, new_span_id, new_trace_id
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.fixture(name="work")
def _work(tmp_path: Path) -> Project:
    work = Project(tmp_path / "work")
    work.write("a.py", "a = 1\n")
    work.write("sub/b.sh", "true\n").chmod(0o755)
    work.commit()
    return work


@pytest.fixture(name="recorded")
def _recorded(work: Project) -> tuple[Path, list[str]]:
    """Record two steps; returns the trace, and the tree after each, the start first."""
    work.write("dirty", "yes\n")
    observed = Observed(work)
    trees = [work.tree()]
    observed.step(lambda: work.write("a.py", "a = 2\n"), "Edit", file_path="a.py")
    trees.append(work.tree())
    observed.step(lambda: (work.folder / "link").symlink_to("a.py"))
    trees.append(work.tree())
    return observed.close(), trees


def test_the_last_step_is_rebuilt(
    here: Here, recorded: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, trees = recorded
    out = tmp_path / "out"

    code, said, _ = here("checkout", path, out)

    assert code == 0
    assert said == f"{out}: step 2, 4 files, tree {trees[2]}\n"
    assert (out / "a.py").read_text() == "a = 2\n"
    assert (out / "link").readlink() == Path("a.py")
    assert os.access(out / "sub" / "b.sh", os.X_OK)


def test_any_step_and_what_it_was(
    here: Here, recorded: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, trees = recorded
    for number, tree in enumerate(trees):
        told = here("checkout", path, tmp_path / str(number), "--step", str(number), "--json").json
        assert (told["tree"], told["equal"], told["wrong"]) == (tree, True, [])

    code, _, err = here("checkout", path, tmp_path / "none", "--step", "3")
    assert (code, "no step 3: there are 0 to 2" in err) == (2, True)
    steps = here("checkout", path, "--list", "--json").json["steps"]
    assert [(step["cause"], step["paths"]) for step in steps] == [
        ("start", ["A dirty"]),
        ("tool", ["M a.py"]),
        ("tool", ["A link"]),
    ]
    listed = here("checkout", path, "--list").out.splitlines()
    assert listed[2].split() == [
        "1",
        "tool",
        "execute_tool",
        "Edit",
        trees[1][:12],
        "1",
        "M",
        "a.py",
    ]


def test_a_clone_will_do_and_without_one_it_says_so(
    here: Here, recorded: tuple[Path, list[str]], work: Project, tmp_path: Path
) -> None:
    path, _ = recorded
    work.git("clone", "-q", "--bare", str(work.folder), str(tmp_path / "clone.git"))
    shutil.rmtree(work.folder)

    code, _, err = here("checkout", path, tmp_path / "one")
    assert (code, "name a clone with --repository" in err) == (2, True)
    clone = tmp_path / "clone.git"
    assert here("checkout", path, tmp_path / "two", "--repository", clone).code == 0


def test_a_folder_that_holds_something(
    here: Here, recorded: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, trees = recorded
    out = tmp_path / "out"
    outside = tmp_path / "outside"
    outside.mkdir()
    (out / "a.py").mkdir(parents=True)
    (out / "sub").symlink_to(outside)

    assert here("checkout", path, out).code == 2
    assert here("checkout", path, out, "--force").code == 0
    assert list(outside.iterdir()) == []
    (out / "extra").write_text("x")
    code, said, _ = here("checkout", path, out, "--force")
    assert (code, said.splitlines()[1:]) == (
        1,
        [f"recorded was {trees[2]}; what differs:", "  extra"],
    )


def test_a_trace_without_snapshots(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "t.otlp.jsonl.zst"
    writer = TraceWriter(path, resource={})
    writer.span(Span(new_trace_id(), new_span_id(), "invoke_agent", start=1, end=2))
    writer.close()

    code, _, err = here("checkout", path, tmp_path / "out")

    assert (code, "no snapshots of the workspace: it was recorded without" in err) == (2, True)


def forged(path: Path, rows: list[dict[str, Any]], **facts: Any) -> Path:
    """Write a trace that claims one step with these changes."""
    writer = TraceWriter(path, resource={})
    ref = writer.blob(b"content\n")
    rows = [{"oid": "d95f3ad14dee633a758d2e331151e950dd13e4ed", "ref": ref, **row} for row in rows]
    told: Attributes = {
        semconv.SNAPSHOT_NUMBER: 0,
        semconv.TREE_BEFORE: EMPTY,
        semconv.TREE_AFTER: EMPTY,
        semconv.REF + semconv.SNAPSHOT_CHANGES: writer.text(json.dumps(rows)),
    }
    event = Event(semconv.SNAPSHOT_EVENT, 1, told)
    span = Span(new_trace_id(), new_span_id(), "invoke_agent", start=1, end=2, events=[event])
    span.attributes.update(facts)
    writer.span(span)
    writer.close()
    return path


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/passwd", "a/../../b", ".git/hooks/pre-commit", "sub/.GIT/config", "a//b", "",
     ".", "x\0y", "/".join(["d"] * 300)],
)  # fmt: skip
def test_no_hostile_trace_leads_out_of_the_folder(here: Here, tmp_path: Path, name: str) -> None:
    path = forged(tmp_path / "t.otlp.jsonl.zst", [{"path": name, "mode": "100644"}])
    before = {p.name for p in tmp_path.iterdir()}

    code, _, err = here("checkout", path, tmp_path / "out")

    assert (code, "path" in err) == (2, True)
    assert {p.name for p in tmp_path.iterdir()} <= before | {"out", "home"}


def test_a_link_is_never_gone_through(here: Here, tmp_path: Path) -> None:
    link = {"path": "a", "mode": "120000"}
    path = forged(tmp_path / "t.otlp.jsonl.zst", [link, {"path": "a/b", "mode": "100644"}])

    code, _, err = here("checkout", path, tmp_path / "out")

    assert (code, "step 0 gives" in err) == (2, True)


@pytest.mark.parametrize(
    "facts",
    [{semconv.WORKSPACE_COMMIT: "--upload-pack=touch x"}, {semconv.WORKSPACE_HASH: "md5"}],
)
def test_hostile_facts(here: Here, tmp_path: Path, facts: dict[str, str]) -> None:
    path = forged(tmp_path / "t.otlp.jsonl.zst", [], **facts)

    code, _, err = here("checkout", path, tmp_path / "out")

    assert (code, "not a" in err) == (2, True)
