from __future__ import annotations

import pytest

from traceproof.recorder.mcp.agents import jsonc


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('// one\n{"a": /* two */ [1, 2,], // three\n}', {"a": [1, 2]}),
        (
            '{"a": "// no, /* nor */ this,]", "b": "\\",}",}',
            {"a": "// no, /* nor */ this,]", "b": '",}'},
        ),
        ('{"url": "https://x.example/",}', {"url": "https://x.example/"}),
        ('{"a": [1, // one,\n ]}', {"a": [1]}),
    ],
)
def test_what_people_write(text: str, found: object) -> None:
    assert jsonc.loads(text) == found


@pytest.mark.parametrize("text", ["", "{", "{a: 1}", "[1,,]"])
def test_what_is_no_json_even_so(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (what it says is the json module's business)
        jsonc.loads(text)
