from __future__ import annotations

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.base import ModelError
from traceproof.recorder import messages


def test_values_of_the_wrong_type_are_empty_ones() -> None:
    assert wire.record([]) == wire.record(None) == {}
    assert wire.items({}) == wire.items("ab") == []
    assert wire.text(3) == wire.text(None) == ""


def test_counts_are_what_otlp_can_carry() -> None:
    values: list[object] = [0, 7, -1, True, 1.0, "3", 1 << 63, None]

    assert [wire.count(value) for value in values] == [0, 7, *[None] * 6]


def test_counts_that_are_none_are_noted() -> None:
    notes = wire.Notes()

    assert wire.counts({"a": 1, "b": "2", "c": None}, ("a", "b", "c"), notes) == {
        "a": 1,
        "b": None,
        "c": None,
    }
    assert notes.lines() == ["b is not a count"]


def test_a_sum_is_known_when_all_of_it_is() -> None:
    assert wire.total([1, 2]) == 3
    assert wire.total([1, None]) is None
    assert wire.total([(1 << 63) - 1, 1]) is None


def test_a_brief_is_short_and_printable() -> None:
    assert wire.brief("new\nline") == r"'new\nline'"
    assert len(wire.brief("x" * 1000)) < 80
    assert wire.brief({"a": 1}) == "dict"


def test_labels_take_numbers_for_text() -> None:
    values: list[object] = ["a", 404, True, None, {}]

    assert [wire.label(value) for value in values] == ["a", "404", "", "", ""]


def test_named_and_section_note_other_types() -> None:
    notes = wire.Notes()

    assert wire.named({"id": "x"}, "id", notes) == "x"
    assert wire.named({}, "id", notes) == ""
    assert wire.named({"id": 3}, "id", notes) == ""
    assert wire.section(None, "usage", notes) == {}
    assert wire.section([], "usage", notes) == {}
    assert notes.lines() == ["id is a int", "usage is a list"]


def test_rest_leaves_out_nulls_and_cache_control() -> None:
    block = {"type": "x", "a": 1, "b": None, "cache_control": {"type": "ephemeral"}}

    assert wire.rest(block, ("type",)) == {"a": 1}
    assert wire.leftovers({"a": 1, "b": 2}, ("b",)) == [messages.generic("a", 1)]


def test_what_clashes_with_a_part_s_own_keys_goes_to_extra() -> None:
    part = wire.extended(messages.text("hi"), {"content": "x", "extra": 1, "new": 2}, ())

    assert part == {
        "type": "text",
        "content": "hi",
        "new": 2,
        "extra": {"content": "x", "extra": 1},
    }


def test_errors_of_every_shape() -> None:
    full = wire.failed({"error": None, "request_id": "r"}, {"type": "t", "message": "m", "code": 5})

    assert full.error == ModelError("t", "m")
    assert full.extra == {"request_id": "r", "error": {"code": 5}}
    assert wire.failed({}, "a sentence").error == ModelError("", "a sentence")
    assert wire.failed({}, ["odd"]).error == ModelError("", "")


def test_bodies_that_are_not_json() -> None:
    page = wire.unreadable(b"<html>502 Bad Gateway</html>")

    assert page.problems == ["the body is not JSON (28 bytes)"]
    assert page.unknown == ["<html>502 Bad Gateway</html>"]
    assert not page.complete
    assert wire.unreadable(b"").problems == ["the body is empty"]


def test_notes_are_counted_and_bounded() -> None:
    notes = wire.Notes()
    for note in ("a", "b", "a"):
        notes.add(note)
    assert notes.lines() == ["a (2 times)", "b"]

    for number in range(1000):
        notes.add(f"kind {number}")
    assert len(notes.lines()) == 65
    assert notes.lines()[-1] == "further problems (938 times)"
