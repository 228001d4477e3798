from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.fragments import FragmentMasker
from traceproof.recorder.redaction import Mask, Redactor

KEY = "sk-ant-api03-Zx9_qW3e-fake"


def redactor(**values: str) -> Redactor:
    made = Redactor()
    for name, value in values.items():
        assert made.add(name, value)
    return made


class Event(msgspec.Struct):
    """An SSE event as a provider writes it, and what a dialect says of it."""

    channel: str
    text: str
    ascii_only: bool = True

    @property
    def raw(self) -> bytes:
        data = {"type": "content_block_delta", "index": self.channel, "delta": {"text": self.text}}
        body = json.dumps(data, ensure_ascii=self.ascii_only)
        return f"event: content_block_delta\ndata: {body}\n\n".encode(errors="replace")


def run(masker: FragmentMasker, events: list[Event]) -> tuple[bytes, list[Mask]]:
    data, masks = b"", []
    results = [masker.feed(e.raw, [(e.channel, e.text)]) for e in events]
    for result in [*results, masker.finish()]:
        masks += [mask._replace(offset=mask.offset + len(data)) for mask in result.masks]
        data += result.data
    return data, masks


def reassemble(data: bytes) -> dict[str, str]:
    """Put the channels' texts together again, as anyone who reads the stored stream could."""
    texts: dict[str, str] = {}
    for line in data.decode().splitlines():
        if line.startswith("data: "):
            event: Any = json.loads(line[6:])
            texts[event["index"]] = texts.get(event["index"], "") + event["delta"]["text"]
    return texts


def test_a_key_spelled_out_over_three_events() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))

    data, masks = run(
        masker, [Event("0", "It is sk-an"), Event("0", "t-api03-Zx9_"), Event("0", "qW3e-fake.")]
    )

    assert reassemble(data) == {"0": "It is <SECRET:KEY>."}
    assert [(mask.name, mask.encoding) for mask in masks] == [("KEY", "fragments")]
    assert data[masks[0].offset :].startswith(b"<SECRET:KEY>")


def test_events_without_a_secret_are_byte_identical_and_leave_at_once() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    events = [Event("0", "Hello"), Event("0", " w\u00f6rld", ascii_only=False), Event("1", "\n{}")]

    for event in events:
        assert masker.feed(event.raw, [(event.channel, event.text)]).data == event.raw
    assert masker.held == 0
    assert masker.feed(b": ping\n\n").data == b": ping\n\n"


def test_an_event_that_may_begin_a_secret_is_held_with_all_after_it() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    first, other, last = Event("0", "see sk-ant"), Event("1", "hm"), Event("0", "s are it")

    assert masker.feed(first.raw, [("0", first.text)]).data == b""
    assert masker.feed(other.raw, [("1", other.text)]).data == b""
    assert masker.held == len(first.raw + other.raw)
    released = masker.feed(last.raw, [("0", last.text)])

    assert released.data == first.raw + other.raw + last.raw
    assert released.masks == []


def test_what_waits_for_a_closed_channel_leaves() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    event = Event("0", "the prefix is sk-ant")

    assert masker.feed(event.raw, [("0", event.text)]).data == b""
    assert masker.close("0").data == event.raw
    assert masker.close("never seen").data == b""


def test_an_answer_that_ends_in_a_keys_first_letter_does_not_hold_the_stream() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    events = [Event("0", "two files"), *[Event("1", "x")] * 40]

    released = b"".join(masker.feed(e.raw, [(e.channel, e.text)]).data for e in events)

    assert released == b"".join(e.raw for e in events)


def test_a_secret_that_comes_after_patience_ended_leaves_three_bytes_at_most() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))

    data, masks = run(
        masker, [Event("0", "a sk-"), *[Event("1", "x")] * 40, Event("0", KEY[3:] + " b")]
    )

    assert reassemble(data)["0"] == "a sk-<SECRET:KEY> b"
    assert [mask.encoding for mask in masks] == ["fragments"]


def test_a_secret_within_one_event_keeps_its_encoding() -> None:
    data, masks = run(FragmentMasker(redactor(KEY=KEY)), [Event("0", f"key={KEY};")])

    assert reassemble(data) == {"0": "key=<SECRET:KEY>;"}
    assert [mask.encoding for mask in masks] == ["plain"]


def test_a_secret_with_quotes_in_a_tool_calls_arguments() -> None:
    value = 'pa"ss\\wo/rd\u00e9'
    arguments = json.dumps({"command": f"login '{value}'"})
    events = [Event("tool", character) for character in arguments]

    data, _ = run(FragmentMasker(redactor(PW=value)), events)

    assert json.loads(reassemble(data)["tool"]) == {"command": "login '<SECRET:PW>'"}


def test_what_is_kept_of_a_text_keeps_its_escapes() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    raw = rb'data: {"index":"0","delta":{"text":"\u00e9\/' + KEY[:10].encode() + b'"}}\n\n'
    rest = b'data: {"index":"0","delta":{"text":"' + KEY[10:].encode() + rb'\/\ud83d\ude00"}}'

    first = masker.feed(raw, [("0", "\u00e9/" + KEY[:10])])
    second = masker.feed(rest, [("0", KEY[10:] + "/\U0001f600")])
    data = first.data + second.data + masker.finish().data

    assert data == raw.replace(KEY[:10].encode(), b"<SECRET:KEY>") + rest.replace(
        KEY[10:].encode(), b""
    )


def test_a_fragment_that_looks_like_a_key_of_the_event_changes_the_value_alone() -> None:
    value = "text-data-text"
    events = [Event("0", part) for part in ("text", "-data-", "text")]

    data, _ = run(FragmentMasker(redactor(V=value)), events)

    assert reassemble(data) == {"0": "<SECRET:V>"}


def test_an_event_whose_text_cannot_be_found_is_hidden_whole() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))

    masker.feed(b"data: {}\n\n", [("0", KEY[:10])])
    masked = masker.feed(b"data: [1]\n\n", [("0", KEY[10:])])

    assert masked.data == b'data: "<SECRET:KEY>"\n\ndata: "<SECRET:PART>"\n\n'


def test_a_secret_in_bytes_between_events_is_masked_too() -> None:
    masker = FragmentMasker(redactor(KEY=KEY))

    first = masker.feed(b": " + KEY[:9].encode())
    second = masker.feed(KEY[9:].encode() + b"\n\n")

    assert first.data + second.data == b": <SECRET:KEY>\n\n"


@pytest.mark.parametrize("count", [1, 2])
def test_one_event_may_add_to_several_channels(count: int) -> None:
    masker = FragmentMasker(redactor(KEY=KEY))
    data = b""
    for half in (KEY[:8], KEY[8:]):
        raw = json.dumps([{"n": n, "text": f"{half}{n}"[: len(half)]} for n in range(count)])
        data += masker.feed(raw.encode(), [(str(n), half) for n in range(count)]).data
    data += masker.finish().data

    texts = [value["text"] for part in data.decode().split("][") for value in _objects(part)]
    assert "".join(texts) == "<SECRET:KEY>" * count


def _objects(part: str) -> list[Any]:
    loaded: list[Any] = json.loads("[" + part.strip("[]") + "]")
    return loaded


ALPHABET = 'ab-"\\/\n\u00e9\U0001f600'
values = st.text(ALPHABET, min_size=6, max_size=10).map(lambda inner: f"ke{inner}q")


@st.composite
def spoken(draw: st.DrawFn) -> tuple[list[str], dict[str, str], list[Event]]:
    """Secrets, the texts of two channels that hold them, and events that spell the texts."""
    secrets = draw(st.lists(values, min_size=1, max_size=2))
    part = st.one_of(st.sampled_from(secrets), st.text("kex" + ALPHABET, max_size=6))
    texts = {name: "".join(draw(st.lists(part, max_size=4))) for name in ("0", "1")}
    waiting = {name: list(_split(draw, text)) for name, text in texts.items()}
    events = []
    while any(waiting.values()):
        name = draw(st.sampled_from([name for name, parts in waiting.items() if parts]))
        events.append(Event(name, waiting[name].pop(0), ascii_only=draw(st.booleans())))
    return secrets, texts, events


def _split(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    return [text[start:end] for start, end in pairwise(cuts)]


@settings(max_examples=100, deadline=None)
@given(spoken())
def test_no_reassembly_holds_a_secret_and_nothing_else_changes(
    case: tuple[list[str], dict[str, str], list[Event]],
) -> None:
    secrets, texts, events = case
    known = redactor(**{f"S{n}": value for n, value in enumerate(secrets)})

    data, masks = run(FragmentMasker(known), events)

    for name, text in reassemble(data).items():
        assert not any(value in text for value in secrets)
        assert text == known.mask_text(texts[name])
    assert all(data[m.offset :].startswith(f"<SECRET:{m.name}>".encode()) for m in masks)
    if not masks:
        assert data == b"".join(event.raw for event in events)


@settings(max_examples=100, deadline=None)
@given(spoken(), st.lists(st.integers(0, 30), max_size=6))
def test_events_taken_in_batches_are_masked_as_one_by_one(
    case: tuple[list[str], dict[str, str], list[Event]], places: list[int]
) -> None:
    secrets, _, events = case
    known = redactor(**{f"S{n}": value for n, value in enumerate(secrets)})
    masker = FragmentMasker(known)
    edges = [0, *sorted(place % (len(events) + 1) for place in places), len(events)]
    data, masks = b"", []

    for start, end in pairwise(edges):
        batch = [(event.raw, [(event.channel, event.text)]) for event in events[start:end]]
        result = masker.feed_all(batch)
        masks += [mask._replace(offset=mask.offset + len(data)) for mask in result.masks]
        data += result.data
    rest = masker.finish()
    masks += [mask._replace(offset=mask.offset + len(data)) for mask in rest.masks]

    assert (data + rest.data, masks) == run(FragmentMasker(known), events)
