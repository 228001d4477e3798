"""The lines that come out of a wire."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.replay.inside.wire import Wire

Channel = tuple[str, int]


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    path = tmp_path / "channel"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield str(path), reader
    os.close(reader)


def test_an_event_is_a_line_and_a_long_one_is_several(channel: Channel) -> None:
    path, reader = channel
    wire = Wire(path, b"key")

    wire.send("start", test="a")
    wire.send("case", detail="ä" * 2000)
    wire.close()

    lines = os.read(reader, 1 << 20).split(b"\n")[:-1]
    assert max(map(len, lines)) < 4096
    words = [line.split(b" ", 4) for line in lines]
    assert [one[:3] for one in words] == [
        [b"tp1", str(place).encode(), flag] for place, flag in enumerate([b".", *[b"+"] * 3, b"."])
    ]
    assert json.loads(words[0][4]) == {"event": "start", "test": "a"}
    assert json.loads(b"".join(one[4] for one in words[1:]))["detail"] == "ä" * 2000


def test_a_fork_sends_nothing(channel: Channel) -> None:
    path, reader = channel
    wire = Wire(path, b"key")

    wire._pid += 1
    wire.send("start", test="a")
    wire._pid -= 1
    wire.send("start", test="b")
    wire.close()

    assert os.read(reader, 1 << 20).count(b"\n") == 1


def test_a_channel_that_was_closed_is_opened_again(channel: Channel) -> None:
    path, reader = channel
    wire = Wire(path, b"key")

    os.close(wire._fd)
    wire.send("start", test="a")
    wire.close()

    assert b'"test": "a"' in os.read(reader, 1 << 20)


def test_a_channel_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "channel")

    with pytest.raises(OSError, match="No such device"):
        Wire(str(tmp_path / "channel"), b"key")


def test_what_is_no_unicode_is_spelt_out(channel: Channel) -> None:
    path, reader = channel
    wire = Wire(path, b"key")

    wire.send("collected", tests=["test_\udcff.py::t", "test_ü.py::t"], repeat=0)
    wire.close()

    event = json.loads(os.read(reader, 1 << 20).split(b" ", 4)[4])
    assert event == {
        "event": "collected", "repeat": 0, "tests": ["test_\\udcff.py::t", "test_ü.py::t"],
    }  # fmt: skip
