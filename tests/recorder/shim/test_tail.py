"""A file that is read alongside, as far as the command wrote it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.shim import wire
from traceproof.recorder.shim.descriptors import Descriptor
from traceproof.recorder.shim.streams import Tail
from traceproof.recorder.shim.tail import Follower


@pytest.fixture(params=[0, os.O_APPEND], ids=["write", "append"])
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    (tmp_path / "file").write_bytes(b"before ")
    opened = os.open(tmp_path / "file", os.O_WRONLY | request.param)
    os.lseek(opened, 0, os.SEEK_END)
    yield opened
    os.close(opened)


@pytest.fixture
def follower(file: int) -> Iterator[Follower]:
    made = Follower(Tail(wire.STDOUT, Descriptor(file)))
    yield made
    for number in made.descriptors():
        os.close(number)


def test_only_what_the_command_writes(file: int, follower: Follower) -> None:
    assert follower.read() == b""
    os.write(file, b"one ")
    assert follower.read() == b"one "
    os.write(file, b"two")
    follower.stop()

    assert not follower.ended
    assert (follower.read(), follower.read(), follower.ended) == (b"two", b"", True)


def test_what_comes_after_the_end_is_somebody_elses(file: int, follower: Follower) -> None:
    os.write(file, b"its own")
    follower.stop()
    os.write(file, b"not its own")

    assert (follower.read(), follower.ended) == (b"its own", True)


def test_a_file_that_was_cut_short_ends(file: int, follower: Follower) -> None:
    os.write(file, b"some text")
    os.truncate(file, 2)
    follower.stop()

    assert (follower.read(), follower.ended) == (b"", True)


def test_it_can_be_given_up(file: int, follower: Follower) -> None:
    os.write(file, b"text")

    follower.give_up()

    assert follower.ended
