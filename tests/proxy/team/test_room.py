from __future__ import annotations

import pytest

from traceproof.proxy.team.room import (
    LAG_HOPELESS,
    LAG_LIMIT,
    LAG_MOST,
    LAG_SECONDS,
    LAG_STUCK,
    Room,
    parse_size,
    size,
)


def test_a_quota_is_told_of_before_it_is_used_up_and_after() -> None:
    said: list[str] = []
    room = Room(1000, say=said.append)

    for used in (0, 899, 900, 950, 1000, 1001, 400, 950):
        room.measure(used)

    assert said == [
        "90 % of the quota of 1.0 KB is used",
        "the quota of 1.0 KB is used up: from now on calls pass unrecorded",
        "there is room again: calls are recorded",
        "95 % of the quota of 1.0 KB is used",
    ]


def test_nothing_is_taken_while_there_is_no_room() -> None:
    room = Room(1000)
    taken = []
    for used in (999, 1000, 999):
        room.measure(used)
        taken.append(room.takes(0))

    assert taken == [True, False, True]


def test_a_disk_that_takes_no_bytes_is_no_room_either() -> None:
    said: list[str] = []
    room = Room(None, on_failure="closed", say=said.append)
    room.trouble("/store: No space left on device")
    room.trouble("/store: No space left on device")
    assert not room.takes(0)
    room.measure(10**12)

    assert room.takes(0)
    assert said == [
        "/store: No space left on device: from now on calls are refused",
        "there is room again: calls are recorded",
    ]


def test_a_request_waits_while_the_recorder_is_behind() -> None:
    room = Room(None)

    assert (room.hold(LAG_LIMIT, LAG_SECONDS), room.takes(LAG_LIMIT)) == (0.0, True)
    assert room.hold(LAG_LIMIT + 1, 0.0) > 0
    assert room.hold(0, LAG_SECONDS + 0.1) > 0
    assert room.hold(0, LAG_HOPELESS) == 0.0
    assert room.hold(LAG_LIMIT + 1, LAG_HOPELESS) > 0
    assert room.hold(LAG_LIMIT + 1, LAG_STUCK) == 0.0
    assert [room.takes(LAG_MOST), room.takes(LAG_MOST + 1)] == [True, False]


@pytest.mark.parametrize(
    ("text", "count"),
    [("1", 1), ("20GB", 20 * 10**9), ("512 MiB", 512 << 20), ("1.5kb", 1500), ("2TiB", 2 << 40)],
)
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "0", "GB", "20 pears", "-1GB", "1e9", "0.1B"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="a size is a number and a unit"):
        parse_size(text)


def test_sizes_are_shown() -> None:
    assert [size(n) for n in (0, 999, 1000, 20 * 10**9, 5 * 10**15)] == [
        "0 B",
        "999 B",
        "1.0 KB",
        "20.0 GB",
        "5000.0 TB",
    ]
