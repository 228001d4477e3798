from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from traceproof.sandbox.local.pump import Kept, Pump, Reports


def forever() -> float:
    return time.monotonic() + 60


class Ends:
    """The other ends of a pump's pipes, and its line."""

    def __init__(self) -> None:
        self.stdin, self.to_stdin = os.pipe()
        self.from_stdout, self.stdout = os.pipe()
        self.from_reports, self.reports = os.pipe()
        self.line, self.end = socket.socketpair()
        self.heard: list[bytes] = []
        self.kept = Kept("stdout", 10)

    def pump(self, chunks: Iterator[bytes], most: int = 100) -> Pump:
        reports = Reports(self.from_reports, most, self.heard.append)
        return Pump(
            (self.to_stdin, chunks), [(self.from_stdout, self.kept)], reports, self.line.fileno()
        )


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    for file in (made.stdin, made.stdout, made.from_reports, made.reports):
        os.close(file)
    made.line.close()
    made.end.close()


def test_all_that_was_written_is_taken_at_the_end(ends: Ends) -> None:
    os.write(ends.stdout, b"0123456789abc")
    os.write(ends.reports, b"a report\n")
    ends.end.send(b"!")

    assert ends.pump(iter([b"in"])).run(forever())

    assert (ends.kept.data, ends.kept.lost) == (b"0123456789", 3)
    assert ends.heard == [b"a report\n"]


def test_stdin_is_given_and_ended(ends: Ends) -> None:
    read: list[bytes] = []

    def reader() -> None:
        while data := os.read(ends.stdin, 1000):
            read.append(data)
        ends.end.send(b"!")

    thread = threading.Thread(target=reader)
    thread.start()
    assert ends.pump(iter([b"a" * 100_000, b"", b"b"])).run(forever())
    thread.join()

    assert b"".join(read) == b"a" * 100_000 + b"b"


def test_too_many_reports_end_it(ends: Ends) -> None:
    os.write(ends.reports, b"x" * 101)

    assert not ends.pump(iter([])).run(forever())
    assert ends.heard == []


def test_time_that_is_up_ends_it(ends: Ends) -> None:
    assert not ends.pump(iter([])).run(time.monotonic() + 0.05)


def test_who_listens_hears_what_is_kept() -> None:
    heard: list[tuple[str, bytes]] = []
    kept = Kept("stderr", 5, lambda name, data: heard.append((name, data)))
    for data in (b"abc", b"def", b"ghi"):
        kept.add(data)

    assert heard == [("stderr", b"abc"), ("stderr", b"de")]
    assert (kept.data, kept.lost) == (b"abcde", 4)
