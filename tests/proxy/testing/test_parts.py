from __future__ import annotations

import msgspec
import pytest

from traceproof.proxy.testing.parts import AnyPart, Cite, Echo, Say, Use


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"type": "say", "text": "hi"}, Say("hi")),
        ({"type": "use", "name": "ls", "input": {"a": 1}}, Use("ls", {"a": 1})),
        (
            {"type": "cite", "text": "t", "url": "u", "title": "T", "cited": "c"},
            Cite("t", "u", "T", "c"),
        ),
        ({"type": "echo", "pattern": "x"}, Echo("x")),
    ],
)
def test_parts_have_a_file_form(data: object, part: AnyPart) -> None:
    assert msgspec.convert(data, AnyPart) == part
    assert msgspec.json.decode(msgspec.json.encode(part), type=AnyPart) == part


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="'shout'"):
        msgspec.convert({"type": "shout"}, AnyPart)
