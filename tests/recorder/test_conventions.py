from __future__ import annotations

import pytest

from traceproof.recorder import conventions, semconv
from traceproof.recorder.conventions import GENAI, PINNED, VERSIONS
from traceproof.recorder.span import Attributes

WRITE = "gen_ai.usage.cache_write.input_tokens"


def test_a_trace_file_speaks_the_pinned_version() -> None:
    assert (PINNED.name, PINNED.schema_url) == ("1.41.1", semconv.SCHEMA_URL)
    assert VERSIONS == {"1.41.1": PINNED, "1.42.0-dev": GENAI}


def test_the_pinned_version_needs_no_translation() -> None:
    attributes: Attributes = {semconv.CACHE_CREATION_TOKENS: 5}

    assert conventions.translate(attributes, PINNED) is attributes
    assert conventions.pinned(attributes) is attributes


def test_what_a_later_version_renamed_has_its_name_there_and_its_place() -> None:
    attributes: Attributes = {"a": 1, semconv.CACHE_CREATION_TOKENS: 5, "b": 2}

    assert list(conventions.translate(attributes, GENAI).items()) == [
        ("a", 1),
        (WRITE, 5),
        ("b", 2),
    ]


def test_a_number_that_became_an_integer_is_one_where_it_can_be() -> None:
    said = [conventions.translate({"gen_ai.request.top_k": k}, GENAI) for k in (40.0, 40, 0.5, "x")]

    assert [one["gen_ai.request.top_k"] for one in said] == [40, 40, 0.5, "x"]
    assert isinstance(said[0]["gen_ai.request.top_k"], int)


@pytest.mark.parametrize("version", VERSIONS.values(), ids=str)
def test_there_and_back_is_where_one_was(version: conventions.Convention) -> None:
    attributes: Attributes = {
        name: number for number, name in enumerate([*GENAI.renamed, semconv.INPUT_TOKENS])
    }

    assert conventions.pinned(conventions.translate(attributes, version)) == attributes


def test_of_two_names_for_one_thing_the_pinned_one_stands() -> None:
    assert conventions.pinned({WRITE: 1, semconv.CACHE_CREATION_TOKENS: 2}) == {
        semconv.CACHE_CREATION_TOKENS: 2
    }
