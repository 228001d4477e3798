from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from traceproof.recorder.errors import TraceNotFound
from traceproof.recorder.store import SUFFIX, Store, TraceName, parse_name

OLD = f"20250101T000000Z-aider-aaaa1111{SUFFIX}"
NEW = f"20250202T000000Z-claude-code-aaaa2222{SUFFIX}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / ".traceproof")
    store.create()
    for name in (NEW, OLD):
        (store.traces_path / name).touch()
    (store.traces_path / f".{OLD}.repair").touch()
    (store.traces_path / "notes.txt").touch()
    return store


def test_the_environment_names_the_store(tmp_path: Path) -> None:
    environment = {"TRACEPROOF_STORE": str(tmp_path / "s")}

    assert Store.locate(environment, Path("/elsewhere")).path == tmp_path / "s"
    assert Store.locate({"TRACEPROOF_STORE": "s"}, tmp_path).path == tmp_path / "s"


@pytest.mark.parametrize("mark", [".git", ".traceproof"])
def test_else_it_is_in_the_project(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    assert Store.locate({"TRACEPROOF_STORE": ""}, inner).path == tmp_path / ".traceproof"


def test_else_it_is_in_the_folder_itself(tmp_path: Path) -> None:
    assert Store.locate({}, tmp_path).path == tmp_path / ".traceproof"


def test_a_store_is_private_and_not_in_git(store: Store) -> None:
    store.create()

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.traces_path.stat().st_mode) == 0o700
    assert (store.path / ".gitignore").read_text() == "*\n"


def test_a_store_that_came_with_a_clone_is_made_private(tmp_path: Path) -> None:
    store = Store(tmp_path / ".traceproof")
    for folder in (store.traces_path, store.path / "control"):
        folder.mkdir(parents=True, mode=0o755)
    ignore = store.path / ".gitignore"
    ignore.write_text("# nothing\n")

    store.create()

    assert stat.S_IMODE(store.traces_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.path / "control").stat().st_mode) == 0o700
    assert stat.S_IMODE(ignore.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "# *\n", "*.log\n", "*\n!traces/**\n"])
def test_a_gitignore_that_does_not_hide_all_is_replaced(tmp_path: Path, content: str) -> None:
    store = Store(tmp_path / ".traceproof")
    store.path.mkdir()
    (store.path / ".gitignore").write_text(content)

    store.create()

    assert (store.path / ".gitignore").read_text() == "*\n"


def test_a_gitignore_that_hides_all_is_left(store: Store) -> None:
    (store.path / ".gitignore").write_text("# private\n*\n")

    store.create()

    assert (store.path / ".gitignore").read_text() == "# private\n*\n"


def test_a_gitignore_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    for name in (".traceproof", "named"):
        store = Store(tmp_path / name)
        store.path.mkdir()
        (store.path / ".gitignore").symlink_to(victim)
        store.create()

    assert not victim.exists()
    assert (tmp_path / ".traceproof" / ".gitignore").read_text() == "*\n"


def test_a_gitignore_in_a_folder_that_the_user_named_is_his_own(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n")

    Store(tmp_path).create()

    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n"


@pytest.mark.parametrize("name", [".", "traces", "control"])
def test_a_link_does_not_lead_out_of_a_store(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / ".traceproof" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotADirectoryError, match="a link in the place of a folder of the store"):
        Store.locate({}, tmp_path).create()

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_who_names_a_store_may_name_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")

    Store.locate({"TRACEPROOF_STORE": str(tmp_path / "link")}, tmp_path).create()

    assert (tmp_path / "disk" / "traces").is_dir()


def test_an_id_of_others_is_no_path_and_no_pattern() -> None:
    assert Store.short_id("0123456789abcdef") == "0123456789ab"
    assert Store.short_id("a/../../../*") == "a"


def test_a_name_says_when_who_and_which(store: Store) -> None:
    path = store.new_trace_path(1_735_689_600_000_000_000, "my/agent v1", "cafe")

    assert path == store.traces_path / f"20250101T000000Z-my_agent_v1-cafe{SUFFIX}"
    assert parse_name(path) == TraceName("20250101T000000Z", "my_agent_v1", "cafe")
    assert parse_name(Path(NEW)).agent == "claude-code"
    assert store.new_trace_path(0, "../", "x").parent == store.traces_path


def test_traces_are_listed_oldest_first_whatever_is_in_them(store: Store) -> None:
    assert [path.name for path in store.paths()] == [OLD, NEW]
    assert [summary.path.name for summary in store.traces()] == [OLD, NEW]
    assert all("is empty" in summary.error for summary in store.traces())


def test_what_is_no_file_is_no_trace(store: Store) -> None:
    os.mkfifo(store.traces_path / f"20250303T000000Z-x-cccc3333{SUFFIX}")

    assert [path.name for path in store.paths()] == [OLD, NEW]


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").paths() == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("last", NEW),
        (OLD, OLD),
        (OLD.removesuffix(SUFFIX), OLD),
        ("20250101", OLD),
        ("aaaa2", NEW),
    ],
)
def test_a_trace_is_found(store: Store, name: str, found: str) -> None:
    assert store.find(name).name == found


def test_a_path_is_itself(store: Store, tmp_path: Path) -> None:
    (tmp_path / "other.zst").touch()

    assert store.find(str(tmp_path / "other.zst")) == tmp_path / "other.zst"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("aaaa", r"'aaaa' could be any of 2 traces \(aaaa1111, aaaa2222\): give more of the name"),
        ("nothing", "no trace 'nothing' in .*: `traceproof ls` lists those there are"),
        ("", "no trace '' in"),
    ],
)
def test_no_trace_or_several_is_one_clear_line(store: Store, name: str, complaint: str) -> None:
    with pytest.raises(TraceNotFound, match=complaint):
        store.find(name)


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(TraceNotFound, match=r"is empty .`traceproof record` fills it"):
        Store(tmp_path).find("last")
