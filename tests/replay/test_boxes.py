from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from traceproof.replay.boxes import Boxes
from traceproof.sandbox.errors import SandboxError, SandboxUnavailable
from traceproof.sandbox.protocol import Image, Setting

IMAGE = Image(id="x", workspace="/w")


class Paper:
    """A sandbox whose boxes do nothing, and know whether they are there."""

    isolation = "process"

    def __init__(self, name: str = "local") -> None:
        self.name = name
        self.live: set[object] = set()
        self.may_end = threading.Event()
        self.may_end.set()
        self.failure: SandboxError | None = None

    def shortfalls(self, _setting: Setting) -> dict[str, str]:
        return {"cpus": "not held"}

    @contextmanager
    def start(self, *_: Any) -> Iterator[Any]:
        box = PaperBox(self.live)
        self.live.add(box)
        try:
            yield box
        finally:
            self.may_end.wait(60)
            box.destroy()
            if self.failure:
                raise self.failure


class PaperBox:
    def __init__(self, live: set[object]) -> None:
        self._live = live

    def destroy(self) -> None:
        self._live.discard(self)


def test_a_box_is_gone_when_its_context_is_left() -> None:
    paper = Paper()
    boxes = Boxes(paper)  # type: ignore[arg-type]

    with boxes.start(IMAGE, Setting()):
        assert len(paper.live) == 1

    assert paper.live == set()
    assert boxes.shortfalls(Setting()) == {"cpus": "not held"}


def test_all_of_them_are_ended_at_once_and_no_more_are_started() -> None:
    paper = Paper()
    boxes = Boxes(paper)  # type: ignore[arg-type]
    with boxes.start(IMAGE, Setting()), boxes.start(IMAGE, Setting()):
        assert len(paper.live) == 2

        boxes.stop("enough")

        assert paper.live == set()
        with pytest.raises(SandboxUnavailable, match="enough"), boxes.start(IMAGE, Setting()):
            pytest.fail("a box was started")
    assert paper.live == set()


def test_a_container_ends_beside_what_comes_next() -> None:
    paper = Paper("docker")
    boxes = Boxes(paper)  # type: ignore[arg-type]
    paper.may_end.clear()

    with boxes.start(IMAGE, Setting()):
        pass
    with boxes.start(IMAGE, Setting()):
        assert len(paper.live) == 2
        paper.may_end.set()

    boxes.settle()
    assert paper.live == set()


@pytest.mark.parametrize("way", ["stop", "settle"])
def test_none_is_left_when_all_is_over(way: str) -> None:
    paper = Paper("docker")
    boxes = Boxes(paper)  # type: ignore[arg-type]
    for _ in range(20):
        with boxes.start(IMAGE, Setting()):
            pass

    if way == "stop":
        boxes.stop("enough")
    else:
        boxes.settle()

    assert paper.live == set()


def test_a_container_that_cannot_be_removed_is_told_later() -> None:
    paper = Paper("docker")
    boxes = Boxes(paper)  # type: ignore[arg-type]
    paper.failure = SandboxUnavailable("the engine went away")
    with boxes.start(IMAGE, Setting()):
        pass

    with pytest.raises(SandboxUnavailable, match="the engine went away"):
        boxes.settle()
    with pytest.raises(SandboxUnavailable, match="went away"), boxes.start(IMAGE, Setting()):
        pytest.fail("a box was started")


def test_a_box_whose_run_failed_is_waited_for() -> None:
    paper = Paper("docker")
    boxes = Boxes(paper)  # type: ignore[arg-type]

    with pytest.raises(ZeroDivisionError), boxes.start(IMAGE, Setting()):
        _ = 1 / 0

    assert paper.live == set()
