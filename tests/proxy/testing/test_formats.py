from __future__ import annotations

import pytest

from traceproof.proxy.testing.formats import wire_for_errors, wire_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages", "anthropic"),
        ("/v1/chat/completions", "openai-chat"),
        ("/v1/responses", "openai-responses"),
        ("/v1beta/models/gemini-x:generateContent", "gemini"),
        ("/api/eval", None),
    ],
)
def test_a_format_is_known_by_the_path(path: str, name: str | None) -> None:
    wire = wire_of("POST", path)

    assert (wire and wire.name) == name
    assert wire_of("GET", path) is None


def test_errors_are_told_as_the_client_knows_them() -> None:
    assert wire_for_errors([("Authorization", "Bearer x")]).name == "openai-chat"
    assert wire_for_errors([("X-Goog-Api-Key", "x")]).name == "gemini"
    assert wire_for_errors([("Anthropic-Version", "2023-06-01")]).name == "anthropic"
    assert wire_for_errors([]).name == "anthropic"
