from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.jsontext import MAX_DEPTH, decode


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_json_is_decoded_from_bytes_and_text() -> None:
    assert decode(b'{"a": [1, 2.5, null, "\xc3\xbc"]}') == {"a": [1, 2.5, None, "ü"]}
    assert decode('{"a": "ü"}') == {"a": "ü"}


def test_what_a_browser_would_take_is_taken() -> None:
    assert decode(b'"a\xffb"') == "a\ufffdb"
    assert decode(r'"\ud800 \ud83d\ude00"') == "\ufffd 😀"
    assert decode('{"\ud800": "\udfff"}') == {"\ufffd": "\ufffd"}


def test_numbers_beyond_all_bounds_become_their_text() -> None:
    assert decode(b"[1e999, -1e999]") == ["1e999", "-1e999"]
    assert decode(b"9" * 5000) == "9" * 5000
    assert decode(b"123456789012345678901234567890") == 123456789012345678901234567890


@pytest.mark.parametrize(
    "text", ["", " ", "{", '{"a":', "NaN", "[Infinity]", "1 2", "{'a': 1}", '"a', "\ufeff1"]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  every reader words it its own way
        decode(text)
    with pytest.raises(ValueError):  # noqa: PT011
        decode(text.encode())


def test_depth_is_bounded() -> None:
    assert decode(nested(MAX_DEPTH)) is not None
    with pytest.raises(ValueError, match="nested deeper than 128 levels"):
        decode(nested(MAX_DEPTH + 1))
    with pytest.raises(ValueError, match="nested"):
        decode(nested(100_000))
    with pytest.raises(ValueError, match="nested"):
        decode((r'["\ud800",' * 50_000).encode() + nested(1).encode() + b"]" * 50_000)


def test_many_brackets_are_not_depth() -> None:
    wide = "[" + ",".join(["[]"] * 1000) + "]"

    assert decode(wide) == [[]] * 1000
    assert decode(json.dumps("[" * 1000)) == "[" * 1000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_decoded_can_be_encoded(value: object) -> None:
    try:
        decoded = decode(json.dumps(value))
    except ValueError:
        assert any(word in json.dumps(value) for word in ("NaN", "Infinity"))
    else:
        msgspec.json.encode(decoded)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_arbitrary_input_is_decoded_or_refused(data: bytes | str) -> None:
    try:
        value = decode(data)
    except ValueError:
        return
    msgspec.json.encode(value)
