from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.secret_forms import forms

VALUE = 'p"a\\s/s wörd+&'


def test_a_simple_key_has_few_forms() -> None:
    assert sorted(set(forms("sk-ant-fake0123456789").values())) == ["base64", "hex", "plain"]


def test_plain_comes_first() -> None:
    assert next(iter(forms(VALUE).items())) == (VALUE.encode(), "plain")


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (json.dumps(VALUE), "json"),
        (json.dumps(VALUE, ensure_ascii=False), "json"),
        (json.dumps(VALUE).replace("/", "\\/"), "json"),
        (json.dumps(VALUE).replace("&", "\\u0026"), "json"),
        (json.dumps(json.dumps({"k": VALUE})), "json2"),
        (json.dumps(json.dumps(json.dumps({"k": VALUE}))), "json3"),
        (quote(VALUE), "url"),
        (quote(VALUE, safe="").lower(), "url"),
        (quote_plus(VALUE), "url"),
        (VALUE.encode().hex(), "hex"),
        (VALUE.encode().hex().upper(), "hex"),
    ],
)
def test_encodings(written: str, encoding: str) -> None:
    found = [name for form, name in forms(VALUE).items() if form in written.encode()]

    assert encoding in found


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=7), st.text(min_size=8, max_size=20), st.binary(max_size=7))
def test_base64_in_every_alignment(before: bytes, value: str, after: bytes) -> None:
    data = before + value.encode(errors="surrogatepass") + after

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert any(form in encode(data) for form, name in forms(value).items() if name == "base64")


def test_a_byte_of_the_environment_that_is_no_utf8_is_itself() -> None:
    assert b"secret\xff0" in forms("secret\udcff0")


def test_half_a_surrogate_pair_does_not_stop_anything() -> None:
    assert forms("secret\ud800")


@pytest.mark.parametrize(
    "written", ["secret\\xff0-x", "secret\\udcff0-x", "secret\ufffd0-x", "secret\\\\xff0-x"]
)
def test_what_becomes_of_it_as_text(written: str) -> None:
    found = forms("secret\udcff0-x")

    assert found[written.encode()] in ("text", "json")
