from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Mask, Masked, Redactor
from traceproof.recorder.streaming import StreamMasker

KEY = "sk-ant-api03-Zx9_qW3e-fake"


def redactor(*values: str, patterns: bool = False) -> Redactor:
    made = Redactor(PATTERNS if patterns else ())
    for number, value in enumerate(values):
        made.add(f"S{number}", value)
    return made


def stream(known: Redactor, chunks: list[bytes]) -> Masked:
    masker = StreamMasker(known)
    data, masks = b"", []
    for piece in [*(masker.feed(chunk) for chunk in chunks), masker.finish()]:
        masks += [mask._replace(offset=mask.offset + len(data)) for mask in piece.masks]
        data += piece.data
    assert masker.held == 0
    return Masked(data, masks)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_bytes_that_cannot_be_part_of_a_secret_leave_at_once() -> None:
    masker = StreamMasker(redactor(KEY))

    assert masker.feed(b"data: {}\n\n").data == b"data: {}\n\n"
    assert masker.held == 0


def test_only_what_may_begin_a_secret_is_held() -> None:
    masker = StreamMasker(redactor(KEY))

    assert masker.feed(b"see sk-ant-").data == b"see "
    assert masker.held == 7
    assert masker.feed(b"api02").data == b"sk-ant-api02"


def test_a_secret_in_two_chunks() -> None:
    masker = StreamMasker(redactor(KEY))

    masker.feed(b"key: " + KEY[:5].encode())
    masked = masker.feed(KEY[5:].encode() + b".")

    assert masked == Masked(b"<SECRET:S0>.", [Mask(0, "S0", "plain")])


def test_masks_that_others_made_are_handed_on() -> None:
    masker = StreamMasker(redactor(KEY))

    first = masker.feed(b"a <SECRET:OTHER> sk-", [Mask(2, "OTHER", "fragments")])
    second = masker.feed(b"b <SECRET:OTHER> " + KEY.encode(), [Mask(2, "OTHER", "fragments")])

    assert first == Masked(b"a <SECRET:OTHER> ", [Mask(2, "OTHER", "fragments")])
    assert second.data == b"sk-b <SECRET:OTHER> <SECRET:S0>"
    assert second.masks == [Mask(5, "OTHER", "fragments"), Mask(20, "S0", "plain")]


def test_a_secret_added_meanwhile_is_masked_from_then_on() -> None:
    known = redactor()
    masker = StreamMasker(known)

    assert masker.feed(KEY.encode()).data == KEY.encode()
    known.add("LATE", KEY)
    assert masker.feed(KEY.encode()).data == b"<SECRET:LATE>"


values = st.text('ab"\\/é', min_size=8, max_size=12)
cuts = st.lists(st.integers(0, 500), max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.lists(values, max_size=3), st.lists(st.text('abc"\\é', max_size=6)), st.data(), cuts)
def test_any_chunking_gives_what_masking_the_whole_gives(
    secrets: list[str], filler: list[str], data: st.DataObject, at: list[int]
) -> None:
    parts = data.draw(st.permutations([*filler, *secrets, *map(json.dumps, secrets)]))
    whole = "".join(parts).encode()
    known = redactor(*secrets)

    assert stream(known, split(whole, at)) == known.mask(whole)


token = st.sampled_from([
    KEY, "sk-" + "a1" * 12, "Bearer ", "ghp_" + "b2" * 18, "AKIA" + "C" * 16, "AKIA", "x", " ", "-",
    "\\n", "-----BEGIN PRIVATE KEY-----", "abc=", "-----END PRIVATE KEY-----", "eyJ" + "d3." * 20,
])  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(token, max_size=12), cuts)
def test_any_chunking_gives_the_same_with_patterns_too(parts: list[str], at: list[int]) -> None:
    whole = "".join(parts).encode()
    known = redactor(KEY, patterns=True)

    assert stream(known, split(whole, at)) == known.mask(whole)
