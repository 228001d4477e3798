from __future__ import annotations

from traceproof.recorder.event_text import Edit, rewrite
from traceproof.recorder.redaction import Mask, Masked


def test_a_stretch_gets_a_mask_and_another_goes() -> None:
    raw = b'data: {"text":"abcdef"}\n\n'
    edits = [Edit(1, 3, "KEY", "fragments"), Edit(4, 5, None, "fragments")]

    assert rewrite(raw, {"abcdef": edits}) == Masked(
        b'data: {"text":"a<SECRET:KEY>df"}\n\n', [Mask(16, "KEY", "fragments")]
    )


def test_keys_are_not_values() -> None:
    assert rewrite(b'{"text" : "text"}', {"text": [Edit(0, 4, None, "")]}) == Masked(
        b'{"text" : ""}', []
    )


def test_escapes_count_as_one_character_and_stay() -> None:
    raw = rb'["\ud83d\ude00\/\n\u00e9x"]'

    assert rewrite(raw, {"\U0001f600/\n\u00e9x": [Edit(1, 2, "K", "json")]}) == Masked(
        rb'["\ud83d\ude00<SECRET:K>\n\u00e9x"]', [Mask(14, "K", "json")]
    )


def test_offsets_are_in_bytes() -> None:
    masked = rewrite("é".encode() + b' "\xc3\xa9ab"', {"éab": [Edit(1, 3, "K", "plain")]})

    assert masked == Masked("é".encode() + b' "\xc3\xa9<SECRET:K>"', [Mask(6, "K", "plain")])


def test_bytes_that_are_not_utf8_stay() -> None:
    assert rewrite(b'\xff "ab" \xfe', {"ab": [Edit(0, 1, None, "")]}) == Masked(
        b'\xff "b" \xfe', []
    )


def test_a_text_that_is_not_there() -> None:
    assert rewrite(b'{"a":"b"}', {"c": [Edit(0, 1, "K", "plain")]}) is None
    assert rewrite(b'"\\x" "', {"c": [Edit(0, 1, "K", "plain")]}) is None
