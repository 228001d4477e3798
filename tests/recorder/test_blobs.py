from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.blobs import PREFIX, Ref, decode_blob, encode_blob, name_at, sha256
from traceproof.recorder.redaction import Mask, Masked

NAME = sha256(b"a")


@given(st.binary() | st.text().map(str.encode))
def test_a_blob_comes_back(data: bytes) -> None:
    line = encode_blob(sha256(data), Masked(data, []))

    assert decode_blob(line, sha256(data)) == Masked(data, [])
    assert b"\n" not in line
    assert line.startswith(PREFIX)
    assert sha256(data) == name_at(b"x\n" + line, 2)


def test_text_stands_as_text() -> None:
    line = json.loads(encode_blob(sha256("é\n".encode()), Masked("é\n".encode(), [])))

    assert line["traceproofBlobs"] == [{"sha256": sha256("é\n".encode()), "utf8": "é\n"}]


@pytest.mark.parametrize("data", [b"\xff", bytes(1000)], ids=["not UTF-8", "longer when escaped"])
def test_other_bytes_stand_as_base64(data: bytes) -> None:
    record = json.loads(encode_blob(sha256(data), Masked(data, [])))["traceproofBlobs"][0]

    assert "base64" in record
    assert "utf8" not in record


def test_masks_are_listed() -> None:
    masks = [Mask(0, "KEY"), Mask(9, "TOKEN", "base64")]
    line = encode_blob(NAME, Masked(b"a", masks))

    assert json.loads(line)["traceproofBlobs"][0]["masks"] == [[0, "KEY"], [9, "TOKEN", "base64"]]
    assert decode_blob(line, NAME).masks == masks


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ({"sha256": NAME, "utf8": "b"}, "is not what its hash says"),
        ({"sha256": NAME}, "has no content"),
        ({"sha256": "0" * 64, "utf8": "a"}, "is not on its line"),
        ({"sha256": NAME, "base64": "*"}, "base64|padding|alphabet"),
        ({"sha256": NAME, "utf8": "a", "masks": [["x"]]}, "a mask is"),
        ({"sha256": NAME, "utf8": 1}, "Expected `str"),
    ],
)
def test_a_wrong_record_is_refused(record: dict[str, object], complaint: str) -> None:
    line = json.dumps({"resourceSpans": [], "traceproofBlobs": [record]}).encode()

    with pytest.raises(ValueError, match=complaint):
        decode_blob(line, NAME)


@pytest.mark.parametrize("form", ["text", "json", "bytes", "list", "concat"])
def test_a_reference_is_form_and_hash(form: str) -> None:
    assert Ref.parse(f"{form}:{NAME}") == Ref(form, NAME)
    assert str(Ref(form, NAME)) == f"{form}:{NAME}"


@pytest.mark.parametrize("text", ["", "text", "text:", f"other:{NAME}", f"text:{NAME.upper()}"])
def test_anything_else_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="not a reference to a blob"):
        Ref.parse(text)
