from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from traceproof.replay.html.markup import Html, element, join, visible


def test_text_is_escaped_and_markup_is_not() -> None:
    made = element("p", "a < b & c", element("b", '"x"'), class_="k")

    assert made == '<p class="k">a &lt; b &amp; c<b>&quot;x&quot;</b></p>'


def test_attributes_are_escaped_or_left_out() -> None:
    made = element("input", value='" onload="x', checked=True, hidden=False, name=None)

    assert made == '<input value="&quot; onload=&quot;x" checked>'


def test_iterables_and_nothing_are_joined() -> None:
    assert join(None, ["<", element("br")], "x") == "&lt;<br>x"


def test_what_does_not_show_is_named() -> None:
    assert visible("a\u202eb\u2066\x00\x1b\u200b\udcff\n\tc") == (
        "a⟨U+202E⟩b⟨U+2066⟩⟨U+0000⟩⟨U+001B⟩⟨U+200B⟩⟨U+DCFF⟩\n\tc"
    )


def test_what_shows_stays() -> None:
    assert visible("日本語 العربية ünï ✓ 🙂") == "日本語 العربية ünï ✓ 🙂"


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    made = join(text)

    assert isinstance(made, Html)
    assert not set(made) & set("<>\"'\u202e\u2066\x00")
    made.encode()
