from __future__ import annotations

import pytest

from traceproof.recorder.tracecontext import SpanName, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_header_names_a_span() -> None:
    assert parse(f"00-{TRACE}-{SPAN}-01") == SpanName(TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", f"00-{TRACE}-{SPAN}", f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01"],
)
def test_anything_else_names_none(header: str) -> None:
    assert parse(header) is None
