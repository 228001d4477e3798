from __future__ import annotations

import re

import pytest

from traceproof.recorder.prices import AS_OF, LONG_PRICES, PRICES, cost, price_of


def test_a_call_of_claude_sonnet_with_a_cache() -> None:
    assert cost(
        "claude-sonnet-4-5-20250929",
        input_tokens=31_000,
        output_tokens=1_000,
        cache_read=20_000,
        cache_write=10_000,
    ) == pytest.approx((1_000 * 3 + 20_000 * 0.30 + 10_000 * 3.75 + 1_000 * 15) / 1e6)


def test_an_hour_in_the_cache_costs_more() -> None:
    hour = cost(
        "claude-opus-4-5", input_tokens=100, output_tokens=0, cache_write=100, cache_write_hour=100
    )

    assert hour == pytest.approx(100 * 10 / 1e6)


def test_openai_charges_nothing_extra_for_writing_to_its_cache() -> None:
    assert cost("gpt-5", input_tokens=1000, output_tokens=10, cache_read=600) == pytest.approx(
        (400 * 1.25 + 600 * 0.125 + 10 * 10) / 1e6
    )


def test_long_prompts() -> None:
    assert cost("gemini-2.5-pro", input_tokens=200_000, output_tokens=0) == pytest.approx(0.25)
    assert cost("gemini-2.5-pro", input_tokens=200_001, output_tokens=0) == pytest.approx(
        0.5, rel=1e-4
    )


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("anthropic/claude-haiku-4-5", "claude-haiku-4-5"),
        ("claude-opus-4-1@20250805", "claude-opus-4-1"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
    ],
)
def test_names_with_dates_and_vendors(model: str, known: str) -> None:
    assert price_of(model) is PRICES[known]


@pytest.mark.parametrize("model", ["gpt-5-pro", "gpt-4o-audio-preview", "llama-4", "", "gpt"])
def test_a_model_that_is_not_known_has_no_price(model: str) -> None:
    assert price_of(model) is None
    assert cost(model, input_tokens=1, output_tokens=1) is None


def test_unknown_usage_has_no_price() -> None:
    assert cost("gpt-5", input_tokens=None, output_tokens=1) is None
    assert cost("gpt-5", input_tokens=1, output_tokens=None) is None


def test_the_table_is_dated_and_sane() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", AS_OF)
    assert LONG_PRICES.keys() <= PRICES.keys()
    for price in PRICES.values():
        assert 0 < price.cache_read <= price.input <= price.cache_write <= price.output
