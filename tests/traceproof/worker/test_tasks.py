from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.workspace import Observed, Project
from traceproof.export.endpoint import Endpoint
from traceproof.recorder import semconv
from traceproof.recorder.store import Store
from traceproof.worker import naming
from traceproof.worker.tasks import Push, Verify

URL = "https://example.org/team/project.git"


def last(command: list[str], after: str) -> list[str]:
    """What stands behind our program's name and the command."""
    return command[command.index(after) + 1 :]


@pytest.fixture
def observed(tmp_path: Path) -> Path:
    """A trace with snapshots that names where its repository is from."""
    work = Project(tmp_path / "work")
    work.write("a.py")
    work.commit()
    seen = Observed(work)
    seen.root.attributes[semconv.VCS_URL] = URL
    seen.step(lambda: work.write("a.py", b"y\n"), "Edit", file_path="a.py")
    return seen.close()


def test_a_push_has_its_options_and_where_it_goes_is_part_of_what_counts(
    store: Store, traces: list[Path]
) -> None:
    here, there = (
        Push(store, Endpoint(f"http://{host}:4318/v1/traces", {"key": "s3cret"}), ["--bodies"])
        for host in ("a", "b")
    )

    assert last(here.command(traces[0]), "push") == [
        "--json", f"--store={store.path}", "--bodies", "--", str(traces[0]),
    ]  # fmt: skip
    assert here.seen(traces[0]) != there.seen(traces[0])
    assert "s3cret" not in here.seen(traces[0])
    assert not here.is_there(traces[0])


def test_a_verification_is_in_containers_unless_the_options_say_otherwise(
    store: Store, traces: list[Path]
) -> None:
    task = Verify(store, ["--sandbox", "local"])

    assert last(task.command(traces[0]), "verify") == [
        "--json", "--sandbox=docker", f"--store={store.path}", "--sandbox", "local", "--",
        str(traces[0]),
    ]  # fmt: skip


def test_what_is_named_beside_a_trace_is_verified(store: Store, traces: list[Path]) -> None:
    task = Verify(store, [])
    before = task.seen(traces[0])
    naming.path_of(traces[0]).write_text('repo = "/srv/a"\ncommit = "0123"\n')

    assert last(task.command(traces[0]), f"--store={store.path}") == [
        "--repo=/srv/a", "--commit=0123", "--", str(traces[0]),
    ]  # fmt: skip
    assert task.seen(traces[0]) != before


def test_a_wrong_file_beside_a_trace_is_an_error(store: Store, traces: list[Path]) -> None:
    naming.path_of(traces[0]).write_text("repo = ")

    with pytest.raises(ValueError, match=r"subject\.toml"):
        Verify(store, []).command(traces[0])


def test_a_verdict_that_is_newer_than_all_is_there(store: Store, traces: list[Path]) -> None:
    task, trace = Verify(store, []), traces[0]
    assert not task.is_there(trace)
    verdict = trace.with_name(trace.name.replace(".otlp.jsonl.zst", ".verdict.json"))
    verdict.write_text("{}")
    os.utime(verdict, ns=(10**18, 10**18 * 2))

    assert task.is_there(trace)

    named = naming.path_of(trace)
    named.write_text("")
    os.utime(named, ns=(10**18, 10**18 * 3))
    assert not task.is_there(trace)


@pytest.mark.parametrize(
    ("allowed", "cloned"),
    [
        ([], False),
        (["none"], False),
        ([URL], True),
        (["https://example.org/team"], True),
        (["https://example.org/team/"], True),
        (["https://example.org"], True),
        (["https://example.org/te"], False),
        (["https://example.com", "https://example.org/other"], False),
    ],
)
def test_a_repository_that_a_trace_names_is_cloned_only_where_that_is_allowed(
    store: Store, observed: Path, allowed: list[str], cloned: bool
) -> None:
    command = Verify(store, [], allowed).command(observed)

    assert (f"--repo={URL}" in command) == cloned
    assert len([word for word in command if word.startswith("--repo")]) == cloned


@pytest.mark.parametrize(
    "url", ["https://example.org/team/../else", "https://example.org/team/a b"]
)
def test_a_url_that_leads_elsewhere_is_not_cloned(store: Store, url: str) -> None:
    assert not Verify(store, [], ["https://example.org/team"])._may_clone(url)


def test_what_is_no_trace_names_nothing(store: Store) -> None:
    foreign = store.traces_path / "a.otlp.jsonl.zst"
    foreign.write_text("nothing")

    assert "--repo" not in " ".join(Verify(store, [], [""]).command(foreign))
