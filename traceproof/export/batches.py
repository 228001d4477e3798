"""Rows of things cut into batches that are neither too long nor too large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from traceproof.recorder.span import Span

BATCH_BYTES = 4 << 20
"""Bytes of a batch at which it is full: servers take some 4 to 20 MB at once."""

BATCH_SPANS = 512
_FIXED = 96
"""Bytes of a span that are there whatever it says: ids, times, tags."""

Item = TypeVar("Item")


def batches(
    items: Iterable[Item], weigh: Callable[[Item], int], *, most_bytes: int, most: int
) -> Iterator[list[Item]]:
    """Yield items in batches, in order; one that is too large by itself makes a batch alone."""
    batch: list[Item] = []
    size = 0
    for item in items:
        weight = weigh(item)
        if batch and (size + weight > most_bytes or len(batch) == most):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


def weigh(span: Span) -> int:
    """Return about how many bytes a span takes in protobuf."""
    events = sum(_FIXED + _weight(event.attributes) for event in span.events)
    links = sum(_FIXED + _weight(link.attributes) for link in span.links)
    return _FIXED + len(span.name) + _weight(span.attributes) + events + links


def _weight(value: object) -> int:
    match value:
        case str():
            return len(value.encode()) + 8
        case bytes():
            return len(value) + 8
        case Mapping():
            return 8 + sum(len(str(key)) + 8 + _weight(item) for key, item in value.items())
        case Sequence():
            return 8 + sum(_weight(item) for item in value)
    return 10
