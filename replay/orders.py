"""Orders of tests: reversed, shuffled, and Williams designs, within what fixtures allow.

Tests of one group (`Case.group`) stay together: splitting a class's or module's fixture makes
set-up errors that no test is to blame for. A group's name may have levels, outermost first, with
`SEPARATOR` between them. What is learnt from an order is not decided here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

SEPARATOR = " > "

Order = tuple[str, ...]
_Indices = Sequence[int]


class _Node(dict[str, "_Node | None"]):
    """Members in their order: a group has a node, a test None."""


def williams(n: int) -> list[tuple[int, ...]]:
    """Return orders of n things in which each thing comes right before each other one.

    There are n of them for an even n, n + 1 for an odd one (Williams' design with a place left
    empty). Each thing is at each place about equally often.
    """
    if n <= 1:
        return [tuple(range(n))]
    size = n + n % 2
    first = [0]
    for step in range(1, size):
        first.append((first[-1] + (step if step % 2 else -step)) % size)
    return [
        tuple(place for k in first if (place := (k + shift) % size) < n) for shift in range(size)
    ]


def reverse(tests: Sequence[str], groups: Mapping[str, str]) -> Order:
    """Return the tests from the last to the first, groups kept together."""
    return _arranged(tests, groups, lambda n: range(n - 1, -1, -1))


def shuffle(tests: Sequence[str], groups: Mapping[str, str], seed: int) -> Order:
    """Return the tests shuffled by a seed, groups kept together, the same by any Python."""
    generator = random.Random(seed)  # noqa: S311 - to be had again, not to be secret

    def indices(n: int) -> _Indices:
        keys = [generator.random() for _ in range(n)]
        return sorted(range(n), key=keys.__getitem__)

    return _arranged(tests, groups, indices)


def design(tests: Sequence[str], groups: Mapping[str, str]) -> list[Order]:
    """Return a Williams design of the groups, and within each group one of its members."""
    sizes = {n for n in _sizes(_tree(tests, groups)) if n > 1}
    designs = {n: williams(n) for n in sizes}
    rows = max((len(rows) for rows in designs.values()), default=1)

    def row(k: int) -> Callable[[int], _Indices]:
        return lambda n: designs[n][k % len(designs[n])] if n in designs else range(n)

    return [_arranged(tests, groups, row(k)) for k in range(rows)]


def design_size(tests: Sequence[str], groups: Mapping[str, str]) -> int:
    """Return how many orders the design has."""
    return max((n + n % 2 for n in _sizes(_tree(tests, groups)) if n > 1), default=1)


def _arranged(
    tests: Sequence[str], groups: Mapping[str, str], indices: Callable[[int], _Indices]
) -> Order:
    return tuple(_walk(_tree(tests, groups), indices))


def _walk(node: _Node, indices: Callable[[int], _Indices]) -> Iterator[str]:
    members = list(node.items())
    for k in indices(len(members)):
        name, inner = members[k]
        if inner is None:
            yield name
        else:
            yield from _walk(inner, indices)


def _tree(tests: Sequence[str], groups: Mapping[str, str]) -> _Node:
    root = _Node()
    for test in tests:
        node = root
        for level in filter(None, groups.get(test, "").split(SEPARATOR)):
            inner = node.setdefault(SEPARATOR + level, _Node())
            assert inner is not None  # noqa: S101 - no test begins with the separator
            node = inner
        node[test] = None
    return root


def _sizes(node: _Node) -> Iterator[int]:
    yield len(node)
    for inner in node.values():
        if inner is not None:
            yield from _sizes(inner)
