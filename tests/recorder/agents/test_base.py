"""What adapters share."""

from __future__ import annotations

import pytest

from traceproof.recorder.agents.base import BaseUrl, hosts_in, text_of
from traceproof.recorder.messages import reasoning, text

URLS = (BaseUrl("A_BASE", "a.example"), BaseUrl("B_BASE", "b.example", "/v1"))


@pytest.mark.parametrize(
    ("env", "hosts"),
    [
        ({}, set()),
        ({"A_BASE": ""}, set()),
        ({"A_BASE": "https://Gateway.example:8443/x", "C_BASE": "https://c"}, {"gateway.example"}),
        ({"A_BASE": "http://127.0.0.1:4000", "B_BASE": "http://[::1]/v1"}, {"127.0.0.1", "::1"}),
        ({"A_BASE": "not a url", "B_BASE": "http://[broken"}, set()),
    ],
)
def test_hosts_are_those_of_the_urls_set(env: dict[str, str], hosts: set[str]) -> None:
    assert hosts_in(URLS, env) == hosts


def test_the_text_of_parts_is_their_text_alone() -> None:
    assert text_of([text("a"), reasoning("thought"), text("b")]) == "a\nb"
