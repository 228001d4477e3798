from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.mcp.line import words


@given(st.lists(st.text(min_size=1), min_size=1))
def test_what_a_shell_would_quote_comes_back(given_words: list[str]) -> None:
    assert words(shlex.join(given_words)) == given_words


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("  npx  -y\tserver ", ["npx", "-y", "server"]),
        ("""a'b'"c"\\ d""", ["abc d"]),
        ('"say \\"hi\\" \\x"', ['say "hi" \\x']),
        ("''", [""]),
        ("--key=value", ["--key=value"]),
    ],
)
def test_words(line: str, found: list[str]) -> None:
    assert words(line) == found


@pytest.mark.parametrize("line", ["a | b", "$HOME/x", 'x "$(y)"', "a > b", "it's", '"', "x\\", "*"])
def test_what_only_a_shell_can_tell_is_left_to_it(line: str) -> None:
    assert words(line) == []
