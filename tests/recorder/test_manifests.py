from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.blobs import Ref, sha256
from traceproof.recorder.manifests import (
    Joined,
    ListEncoder,
    Literal,
    Resolver,
    Spliced,
    encode_body,
    splice,
)


class Blobs(dict[str, bytes]):
    """Blobs in memory."""

    def add(self, data: bytes) -> str:
        self[sha256(data)] = data
        return sha256(data)

    def get_blob(self, name: str) -> bytes:
        if name not in self:
            raise ValueError(f"no blob {name}")
        return self[name]

    def resolver(self) -> Resolver:
        return Resolver(self.get_blob)

    def add_list(self, encoder: ListEncoder, parts: Sequence[str | Spliced]) -> str:
        known = encoder.find(parts)
        if known is None:
            known = self.add(encoder.encode(parts))
            encoder.remember(known, parts)
        return known


element = st.sampled_from([b"1", b'{"a":2}', b'"three"', b"[]"])
lists = st.lists(st.lists(element, max_size=12), max_size=40)


@given(lists)
def test_lists_come_back_whatever_they_were_built_upon(contents: list[list[bytes]]) -> None:
    blobs, encoder = Blobs(), ListEncoder(remember=3)
    names = [blobs.add_list(encoder, [blobs.add(e) for e in content]) for content in contents]
    resolver = blobs.resolver()

    for name, content in zip(names, contents, strict=True):
        expected = "[" + b",".join(content).decode() + "]"
        assert resolver.resolve(Ref("list", name)) == expected
        assert blobs.resolver().resolve(Ref("list", name)) == expected


def test_a_longer_conversation_stores_what_is_new() -> None:
    blobs, encoder = Blobs(), ListEncoder()
    first = blobs.add_list(encoder, ["a" * 64, "b" * 64])
    second = blobs.add_list(encoder, ["a" * 64, "b" * 64, "c" * 64])

    assert json.loads(blobs[second]) == {"base": first, "keep": 2, "parts": ["c" * 64]}


def test_interleaved_conversations_find_their_own() -> None:
    blobs, encoder = Blobs(), ListEncoder()
    ours = blobs.add_list(encoder, ["a" * 64, "b" * 64])
    blobs.add_list(encoder, ["a" * 64, "x" * 64, "y" * 64])

    name = blobs.add_list(encoder, ["a" * 64, "b" * 64, "c" * 64])

    assert json.loads(blobs[name])["base"] == ours


def test_an_equal_list_is_stored_once() -> None:
    blobs, encoder = Blobs(), ListEncoder()

    assert blobs.add_list(encoder, ["a" * 64]) == blobs.add_list(encoder, ["a" * 64])
    assert len(blobs) == 1


@given(st.lists(st.tuples(element, st.lists(st.tuples(st.integers(0, 3), st.text())))))
def test_bodies_come_back(pieces: list[tuple[bytes, list[tuple[int, str]]]]) -> None:
    blobs, expected, parts = Blobs(), b"", []
    for data, inserts in pieces:
        insert = tuple(sorted((min(at, len(data)), text) for at, text in inserts))
        spliced = Spliced(blobs.add(data), insert)
        parts.append(spliced)
        expected += b"".join(splice(data, spliced))
    listed = blobs.add_list(ListEncoder(), parts)
    body = blobs.add(encode_body([Literal("é<"), Joined(listed, ", "), *parts]))
    joined = b", ".join(b"".join(splice(blobs[part.blob], part)) for part in parts)

    assert blobs.resolver().resolve(Ref("concat", body)) == "é<".encode() + joined + expected


def test_texts_are_inserted_where_they_were() -> None:
    assert b"".join(splice(b"{}", Spliced("h", ((1, '"a":1'), (2, "!"))))) == b'{"a":1}!'


def test_forms_say_how_a_blob_is_read() -> None:
    blobs = Blobs()
    name = blobs.add(b'"a\\n"')
    resolver = blobs.resolver()

    assert resolver.resolve(Ref("text", name)) == '"a\\n"'
    assert resolver.resolve(Ref("json", name)) == "a\n"
    assert resolver.resolve(Ref("bytes", name)) == b'"a\\n"'


def test_a_chain_of_thousands_is_no_problem() -> None:
    blobs, name = Blobs(), None
    for number in range(5000):
        link = {"base": name, "keep": number, "parts": [f"{number:064}"]}
        name = blobs.add(json.dumps(link if name else {"parts": [f"{0:064}"]}).encode())
    assert name is not None

    assert len(blobs.resolver().list_parts(name)) == 5000


def hostile(**blobs: object) -> Resolver:
    encoded = {name: json.dumps(content).encode() for name, content in blobs.items()}
    return Resolver(encoded.__getitem__)


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ({"base": "a", "keep": 0, "parts": []}, "is built upon itself"),
        ({"base": "b", "keep": 0, "parts": []}, "is built upon itself"),
        ({"base": "empty", "keep": 1, "parts": []}, "keeps more than its base has"),
        ({"base": "empty", "keep": -1, "parts": []}, "keeps more than its base has"),
        ({"parts": [1]}, "Expected"),
        ([], "Expected"),
    ],
)
def test_a_hostile_list_is_refused(manifest: object, complaint: str) -> None:
    resolver = hostile(a=manifest, b={"base": "a", "keep": 0, "parts": []}, empty={"parts": []})

    with pytest.raises(ValueError, match=complaint):
        resolver.list_parts("a")


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ({"parts": [{}]}, "a part of a body manifest is"),
        ({"parts": [{"blob": "one", "insert": [[9, ""]]}]}, "out of place"),
        ({"parts": [{"blob": "one", "insert": [[1, ""], [0, ""]]}]}, "out of place"),
        ({"parts": [{"blob": "one", "insert": [[-1, ""]]}]}, "out of place"),
        ({"parts": ["one"] * 1000}, "stands for over"),
        ({"parts": [{"list": "many"}] * 1000}, "stands for over"),
        ({}, "missing required field"),
    ],
)
def test_a_hostile_body_is_refused(manifest: object, complaint: str) -> None:
    resolver = hostile(a=manifest, one=1, many={"parts": ["one"] * 1000})

    with pytest.raises(ValueError, match=complaint):
        resolver.resolve(Ref("concat", "a"), limit=500)
