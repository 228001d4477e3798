from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.pieces import (
    Array,
    Content,
    Cut,
    Memo,
    Splitter,
    Value,
    cut_markers,
    put_back,
)

KEYS = ("messages", "system", "tools")
MARKER = {"type": "ephemeral", "ttl": "1h"}

leaves = st.none() | st.booleans() | st.integers() | st.text() | st.just(MARKER)
names = st.sampled_from(["messages", "system", "content", "cache_control", "a", 'q"\\', "é"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner), max_leaves=20
)
fragments = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"', "\\", '"messages"', '"cache_control"', " ", "1", "\n", "{}"]
)


def dump(value: object, **options: object) -> bytes:
    return json.dumps(value, **options).encode()  # type: ignore[arg-type]


def test_members_within_a_member_can_be_taken_out() -> None:
    body = b'{"a": 1, "in": {"x": [1, {"y": 2}], "b": "c", "z": 3}, "x": [4]}'
    split = Splitter(["in.x", "in.z", "none.x"]).split(body)

    assert split.join() == body
    assert [element.content.data for element in split.elements("in.x")] == [b"1", b'{"y": 2}']
    assert [element.content.data for element in split.elements("in.z")] == [b"3"]
    assert split.head() == b'{"a": 1, "in": {"x": [null], "b": "c", "z": null}, "x": [4]}'
    assert Splitter(["in.x"]).split(b'{"in": [1]}').join() == b'{"in": [1]}'


@given(st.binary() | st.lists(fragments).map(lambda parts: "".join(parts).encode()))
def test_pieces_of_anything_are_the_whole(body: bytes) -> None:
    assert Splitter(KEYS).split(body).join() == body


@given(
    st.lists(st.dictionaries(names, values), min_size=1, max_size=4),
    st.sampled_from([None, 1]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]),
    st.booleans(),
)
def test_pieces_of_json_are_the_whole(
    bodies: list[dict[str, object]],
    indent: int | None,
    separators: tuple[str, str],
    ascii_only: bool,
) -> None:
    splitter = Splitter(KEYS)
    for value in bodies:
        body = dump(value, indent=indent, separators=separators, ensure_ascii=ascii_only)
        split = splitter.split(body)

        assert split.join() == body
        for key in KEYS:
            wanted = value.get(key, [])
            wanted = wanted if isinstance(wanted, list) else [wanted]
            assert [json.loads(element.raw) for element in split.elements(key)] == wanted


def test_elements_are_numbered_and_placed() -> None:
    body = b'{"messages": [{"a":1}, {"b":2}], "x":0}'
    split = Splitter(KEYS).split(body)
    array = split.pieces[1]

    assert isinstance(array, Array)
    assert array.separator == ", "
    assert [element.number for element in array.elements] == [0, 1]
    assert [body[element.start : element.end] for element in array.elements] == [
        b'{"a":1}',
        b'{"b":2}',
    ]


def test_what_is_new_is_told() -> None:
    splitter = Splitter(KEYS)
    splitter.split(b'{"messages":[1,2]}')

    again = splitter.split(b'{"messages":[1,2,3]}').elements("messages")

    assert [element.new for element in again] == [False, False, True]


def test_a_marker_that_moves_leaves_the_content_the_same_object() -> None:
    splitter = Splitter(KEYS)
    marked = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": MARKER}]}
    plain = {"role": "user", "content": [{"type": "text", "text": "hi"}]}

    (first,) = splitter.split(dump({"messages": [marked]})).elements("messages")
    (second,) = splitter.split(dump({"messages": [plain]})).elements("messages")

    assert first.content is second.content
    assert first.cuts
    assert not second.cuts
    assert not second.new


def test_a_text_where_an_array_might_be_is_one_value() -> None:
    split = Splitter(KEYS).split(b'{"system":"be brief","messages":[]}')

    assert isinstance(split.pieces[1], Value)
    assert split.elements("system")[0].raw == b'"be brief"'
    assert split.elements("messages") == []


def test_the_head_is_the_rest_as_json() -> None:
    split = Splitter(KEYS).split(b'{"model":"m","messages":[1,2],"system":"s","n":1}')

    assert json.loads(split.head()) == {"model": "m", "messages": [None], "system": None, "n": 1}


def test_uneven_separators_make_single_values() -> None:
    split = Splitter(KEYS).split(b'{"messages":[1,2, 3]}')

    assert [element.number for element in split.elements("messages")] == [0, 1, 2]
    assert not any(isinstance(piece, Array) for piece in split.pieces)


@pytest.mark.parametrize(
    "body",
    [b'{"messages":[1],"messages":[2]}', b'{"messages":[1]} x', b"[1]", b"\xff", b"", b"[" * 9999],
)
def test_what_cannot_be_told_apart_stays_whole(body: bytes) -> None:
    assert Splitter(KEYS).split(body).pieces == ([body] if body else [])


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b'{"a":1,"cache_control":{"type":"e"}}', b'{"a":1}'),
        (b'{"cache_control":{"type":"e"},"a":1}', b'{"a":1}'),
        (b'{"cache_control" : null }', b"{ }"),
        (b'{"cache_control":{"type":"}\\"{"}, "a":1}', b'{ "a":1}'),
        (b'{"content":[{"a":1,"cache_control":{}},{"b":2}]}', b'{"content":[{"a":1},{"b":2}]}'),
        (b'{"content":[{"content":[{"cache_control":{}}]}]}', b'{"content":[{"content":[{}]}]}'),
    ],
)
def test_markers_are_cut_out(raw: bytes, left: bytes) -> None:
    data, cuts = cut_markers(raw)

    assert data == left
    assert put_back(data, cuts) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"input":{"cache_control":{"a":"argument"}}}',
        b'{"text":"\\"cache_control\\":{}"}',
        b'{"x\\"cache_control":{}}',
        b'{"cache_control":1}',
        b'"cache_control":{}',
    ],
)
def test_what_only_looks_like_a_marker_stays(raw: bytes) -> None:
    assert cut_markers(raw) == (raw, ())


def test_cuts_are_placed_in_what_is_left() -> None:
    _, cuts = cut_markers(b'{"a":1,"cache_control":{},"content":[]}')

    assert cuts == (Cut(6, ',"cache_control":{}'),)


def test_the_memo_is_bounded() -> None:
    splitter = Splitter(KEYS, memo=10)
    splitter.split(b'{"messages":["123456","7890"]}')

    assert splitter.split(b'{"messages":["123456"]}').elements("messages")[0].new


def test_half_an_emoji_does_not_keep_a_body_in_one_piece() -> None:
    body = (
        rb'{"messages":[{"role":"user","content":"cut here \ud83d"},'
        rb'{"role":"user","content":[{"type":"text","text":"\ud83d\ude00",'
        rb'"cache_control":{"type":"ephemeral"}}]}],"max_tokens":9}'
    )

    split = Splitter(KEYS).split(body)

    first, second = split.elements("messages")
    assert first.raw == rb'{"role":"user","content":"cut here \ud83d"}'
    assert b"cache_control" not in second.content.data
    assert split.join() == body


@given(
    st.lists(
        st.tuples(st.lists(values, max_size=4), st.booleans(), st.sampled_from([",", ", ", " ,"])),
        max_size=5,
    )
)
def test_a_body_that_begins_as_the_last_one_did_is_split_like_any_other(
    steps: list[tuple[list[object], bool, str]],
) -> None:
    splitter = Splitter(KEYS)
    conversation: list[object] = []
    for more, anew, comma in steps:
        conversation = [*more] if anew else [*conversation, *more]
        body = b'{"messages":' + dump(conversation, separators=(comma, ":")) + b',"system":"s"}'
        split, expected = splitter.split(body), Splitter(KEYS).split(body)

        assert split.join() == body
        assert split.head() == expected.head()
        assert [
            (each.number, each.content.data, each.cuts, each.start, each.end)
            for each in split.elements("messages")
        ] == [
            (each.number, each.content.data, each.cuts, each.start, each.end)
            for each in expected.elements("messages")
        ]


def test_an_element_that_was_longer_before_is_another() -> None:
    splitter = Splitter(KEYS)
    splitter.split(b'{"messages":[{"a":1},12,{"b":2}]}')
    again = splitter.split(b'{"messages":[{"a":1},123,{"b":2}]}').elements("messages")

    assert [each.content.data for each in again] == [b'{"a":1}', b"123", b'{"b":2}']
    assert [each.new for each in again] == [False, True, False]


def test_a_memo_keeps_what_was_worked_out_and_no_other_memos() -> None:
    content, mine, other = Content(b"x"), Memo[str](), Memo[str]()
    mine[content] = "worked out"

    assert (mine.get(content), other.get(content)) == ("worked out", None)
