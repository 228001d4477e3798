from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.jsonarray import ArrayScanner, Element


def read(*pieces: bytes) -> tuple[list[Element], bool, int]:
    scanner = ArrayScanner()
    found = [element for piece in pieces for element in scanner.feed(piece)]
    found += scanner.close()
    return found, scanner.closed, scanner.stray


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_elements_come_with_their_place() -> None:
    assert read(b' [{"a": "]"},\r\n[1, {}] , "x\\"y",7]\n') == (
        [
            Element(2, 12, b'{"a": "]"}'),
            Element(15, 22, b"[1, {}]"),
            Element(25, 31, b'"x\\"y"'),
            Element(32, 33, b"7"),
        ],
        True,
        0,
    )


def test_an_object_is_there_with_its_last_byte() -> None:
    scanner = ArrayScanner()

    assert list(scanner.feed(b'[{"a"')) == []
    assert list(scanner.feed(b": 1}")) == [Element(1, 9, b'{"a": 1}')]
    assert list(scanner.feed(b',"x"')) == [Element(10, 13, b'"x"')]
    assert list(scanner.feed(b",1")) == []
    assert list(scanner.feed(b"2,")) == [Element(14, 16, b"12")]
    assert not scanner.closed


@pytest.mark.parametrize("tail", [b'{"a": "', b'"x\\', b"[[", b"12"])
def test_an_element_that_was_cut_short(tail: bytes) -> None:
    found, closed, _ = read(b"[1," + tail)

    assert found[1:] == [Element(3, 3 + len(tail), tail, whole=False)]
    assert not closed


def test_what_is_no_part_of_the_array_is_counted() -> None:
    assert read(b"ab [1] c\n d")[2] == 4
    assert read(b"nothing") == ([], False, 7)
    assert read(b"") == ([], False, 0)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.lists(values, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_those_that_a_decoder_finds(
    value: list[Any], indent: int | None, escaped: bool
) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=escaped).encode(errors="replace")
    found, closed, stray = read(data)

    assert [json.loads(element.data) for element in found] == json.loads(data)
    assert (closed, stray) == (True, 0)


@given(
    st.lists(values, max_size=4).map(lambda value: json.dumps(value).encode())
    | st.text('[]{}",:\\ \n1a').map(str.encode),
    st.lists(st.integers(0, 500), max_size=20),
    st.integers(0, 20),
)
def test_any_chunking_gives_the_same(data: bytes, places: list[int], lost: int) -> None:
    data = data[: max(len(data) - lost, 0)]
    found = read(data)

    assert read(*cut(data, places)) == found
    for element in found[0]:
        assert data[element.start : element.end] == element.data
