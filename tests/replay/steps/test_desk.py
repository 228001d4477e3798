from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from support.steps import Recorded
from traceproof.recorder.workspace.tree import FILE, LINK, PROGRAM, Leaf, blob_id
from traceproof.replay.steps.desk import Desk
from traceproof.sandbox.protocol import Box


@contextmanager
def opened(
    files: Mapping[str, str], known: Mapping[bytes, Leaf] | None = None
) -> Iterator[tuple[Box, Desk]]:
    recorded = Recorded(files)
    with recorded.scene() as scene, scene.sandbox.start(scene.image, scene.setting) as box:
        yield box, Desk(box, scene.policy, (known or {}).get, "sha1")


def sh(box: Box, script: str) -> None:
    assert box.run(["sh", "-c", script], seconds=60).exit_code == 0


def leaf(text: str, mode: str = FILE) -> Leaf:
    return Leaf(mode, blob_id("sha1", text.encode()))


def test_a_first_look_sees_all_and_the_next_what_changed() -> None:
    with opened({"a": "1", "d/b": "2"}) as (box, desk):
        assert desk.look() == {b"a": leaf("1"), b"d/b": leaf("2")}
        assert desk.look() == {}

        sh(
            box,
            "printf 3 > a; rm d/b; ln -s a c; printf 4 > p; chmod +x p; mkdir .git; echo > .git/x",
        )

        assert desk.look() == {
            b"a": leaf("3"), b"d/b": None, b"c": leaf("a", LINK), b"p": leaf("4", PROGRAM),
        }  # fmt: skip


def test_names_of_any_kind() -> None:
    with opened({"a": "1"}) as (box, desk):
        desk.look()
        sh(
            box,
            "printf 1 > '-x y'; printf 2 > 'new\nline'; printf 3 > \"$(printf '\\377')\"; mkfifo f",
        )

        assert desk.look() == {b"-x y": leaf("1"), b"new\nline": leaf("2"), b"\xff": leaf("3")}


def test_what_is_ignored_counts_once_it_is_not() -> None:
    files = {
        ".gitignore": "*.o\nout/\n",
        "x.o": "1",
        "out/y": "2",
        "s/.gitignore": "!x.o",
        "s/x.o": "3",
    }
    with opened(files) as (box, desk):
        assert set(desk.look()) == {b".gitignore", b"s/.gitignore", b"s/x.o"}

        sh(box, "echo out/ > .gitignore")

        assert set(desk.look()) == {b".gitignore", b"x.o"}


def test_what_is_recorded_counts_though_it_is_ignored() -> None:
    with opened({".gitignore": "*.o", "x.o": "1"}, {b"x.o": leaf("0")}) as (_, desk):
        assert desk.look()[b"x.o"] == leaf("1")


def test_files_are_put_there_and_taken_away() -> None:
    recorded = Recorded({"a": "1", "d/b": "2"})
    with recorded.scene() as scene, scene.sandbox.start(scene.image, scene.setting) as box:
        desk = Desk(box, scene.policy, lambda _: None, "sha1")
        desk.look()

        desk.put(
            {b"a": None, b"d/b": None, b"d": recorded.leaf("file"), b"l": recorded.leaf("d", LINK)},
            recorded,
        )

        assert desk.look() == {
            b"a": None, b"d/b": None, b"d": leaf("file"), b"l": leaf("d", LINK),
        }  # fmt: skip


def test_a_content_that_is_missing_is_an_error() -> None:
    with opened({"a": "1"}) as (_, desk), pytest.raises(LookupError):
        desk.put({b"b": leaf("not here")}, Recorded({}))
