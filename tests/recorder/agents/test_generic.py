"""The agent of which nothing is known."""

from __future__ import annotations

from traceproof.recorder.agents.generic import Generic


def test_it_recognises_nothing_by_itself() -> None:
    assert not Generic().recognises(["generic"])


def test_it_is_redirected_by_the_usual_variables() -> None:
    variables = {entry.variable: entry.host + entry.suffix for entry in Generic.base_urls}

    assert variables == {
        "ANTHROPIC_BASE_URL": "api.anthropic.com",
        "OPENAI_BASE_URL": "api.openai.com/v1",
        "OPENAI_API_BASE": "api.openai.com/v1",
    }


def test_a_gateway_in_them_is_one_of_its_hosts() -> None:
    assert Generic().configured_hosts({"OPENAI_API_BASE": "https://llm.corp/v1"}) == {"llm.corp"}
