from __future__ import annotations

from traceproof.export.batches import batches, weigh
from traceproof.recorder.span import Event, Link, Span


def cut(*sizes: int, most_bytes: int = 10, most: int = 3) -> list[list[int]]:
    return list(batches(sizes, int, most_bytes=most_bytes, most=most))


def test_a_batch_is_full_by_size_or_by_number() -> None:
    assert cut(4, 4, 4, 1, 1, 1, 1) == [[4, 4], [4, 1, 1], [1, 1]]


def test_one_that_is_too_large_goes_alone_and_in_order() -> None:
    assert cut(1, 50, 1) == [[1], [50], [1]]


def test_nothing_makes_no_batch() -> None:
    assert cut() == []


def test_items_are_taken_as_they_are_sent() -> None:
    taken: list[int] = []

    def source() -> object:
        for number in range(10):
            taken.append(number)
            yield 5

    made = batches(source(), int, most_bytes=10, most=3)  # type: ignore[arg-type]
    next(made)

    assert taken == [0, 1, 2]


def test_a_span_weighs_what_is_in_it() -> None:
    empty = weigh(Span("1" * 32, "2" * 16, ""))
    full = Span(
        "1" * 32,
        "2" * 16,
        "name",
        attributes={"text": "é" * 1000, "raw": b"x" * 1000, "map": {"list": ["y" * 1000, 1]}},
        events=[Event("e", 0, {"content": "z" * 1000})],
        links=[Link("1" * 32, "2" * 16)],
    )

    assert 5000 < weigh(full) - empty < 5600
