from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects import parameters
from traceproof.recorder.span import encode_attributes

NAMES = {
    "model": ("gen_ai.request.model", parameters.string),
    "max_tokens": ("gen_ai.request.max_tokens", parameters.integer),
    "limit": ("gen_ai.request.max_tokens", parameters.integer),
    "temperature": ("gen_ai.request.temperature", parameters.number),
    "stop": ("gen_ai.request.stop_sequences", parameters.strings),
    "stream": ("gen_ai.request.stream", parameters.boolean),
}


def test_parameters_of_the_expected_type_get_their_conventional_names() -> None:
    head = {"model": "m", "max_tokens": 5, "temperature": 1, "stop": "END", "stream": True}

    assert parameters.attributes(head, NAMES) == {
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.stream": True,
    }


def test_anything_else_is_kept_under_our_names() -> None:
    head = {"model": ["m"], "temperature": "hot", "new": {"a": [1]}, "flag": False, "none": None}

    assert parameters.attributes(head, NAMES) == {
        "traceproof.request.model": '["m"]',
        "traceproof.request.temperature": "hot",
        "traceproof.request.new": '{"a":[1]}',
        "traceproof.request.flag": False,
    }


def test_the_second_parameter_of_one_name_keeps_its_own() -> None:
    assert parameters.attributes({"max_tokens": 1, "limit": 2}, NAMES) == {
        "gen_ai.request.max_tokens": 1,
        "traceproof.request.limit": 2,
    }


def test_readers_refuse_what_an_attribute_cannot_carry() -> None:
    assert parameters.integer(1 << 63) is parameters.integer(True) is None
    assert parameters.number(math.inf) is parameters.number(math.nan) is None
    assert parameters.number(10**400) is parameters.number(True) is None
    assert parameters.strings([1]) is None
    assert parameters.string(b"x") is None


def test_a_value_that_json_cannot_carry_says_what_it_was() -> None:
    assert parameters.plain({"a": "\ud800"}) == "not JSON: dict"
    assert parameters.plain("\ud800") == "?"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*NAMES, "metadata", "x"]) | st.text(), values, max_size=6))
def test_any_head_makes_attributes_that_otlp_takes(head: dict[str, Any]) -> None:
    for pair in encode_attributes(parameters.attributes(head, NAMES)):
        pair.key.encode()
        if pair.value.string_value is not None:
            pair.value.string_value.encode()
