"""What a call would have cost at list price.

An estimate for people: discounts, batches, service tiers, tools that the provider runs and data
residency are not in it. A model that is not in the table has no price, rather than a guessed one.

Sources: the price pages of Anthropic, OpenAI and Google, compared with litellm's table.
"""

from __future__ import annotations

import re
from typing import NamedTuple

AS_OF = "2025-12-15"
"""Prices change; these are as they were on this day."""

LONG_PROMPT = 200_000
"""Tokens of input over which some models cost more, for the whole call."""

MILLION = 1_000_000


class Price(NamedTuple):
    """US dollars per million tokens.

    `cache_write` is for the shortest lifetime that the provider sells (Anthropic: 5 minutes);
    where writing to the cache costs nothing extra, it is the price of input.
    """

    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_write_hour: float | None = None


def _anthropic(input_price: float, output: float) -> Price:
    """Anthropic's cache prices are multiples of the input price."""
    return Price(input_price, output, input_price * 0.1, input_price * 1.25, input_price * 2)


def _free_writes(input_price: float, output: float, cache_read: float) -> Price:
    return Price(input_price, output, cache_read, input_price)


_OPUS_4 = _anthropic(15, 75)
_SONNET = _anthropic(3, 15)
_GPT_5 = _free_writes(1.25, 10, 0.125)
_GPT_5_MINI = _free_writes(0.25, 2, 0.025)

PRICES = {
    "claude-3-haiku": Price(0.25, 1.25, 0.03, 0.30),
    "claude-3-5-haiku": _anthropic(0.80, 4),
    "claude-3-5-sonnet": _SONNET,
    "claude-3-7-sonnet": _SONNET,
    "claude-haiku-4-5": _anthropic(1, 5),
    "claude-opus-4": _OPUS_4,
    "claude-opus-4-0": _OPUS_4,
    "claude-opus-4-1": _OPUS_4,
    "claude-opus-4-5": _anthropic(5, 25),
    "claude-sonnet-4": _SONNET,
    "claude-sonnet-4-0": _SONNET,
    "claude-sonnet-4-5": _SONNET,
    "gemini-2.5-flash": _free_writes(0.30, 2.50, 0.03),
    "gemini-2.5-flash-lite": _free_writes(0.10, 0.40, 0.01),
    "gemini-2.5-pro": _free_writes(1.25, 10, 0.125),
    "gpt-4.1": _free_writes(2, 8, 0.50),
    "gpt-4.1-mini": _free_writes(0.40, 1.60, 0.10),
    "gpt-4.1-nano": _free_writes(0.10, 0.40, 0.025),
    "gpt-4o": _free_writes(2.50, 10, 1.25),
    "gpt-4o-2024-05-13": _free_writes(5, 15, 5),
    "gpt-4o-mini": _free_writes(0.15, 0.60, 0.075),
    "gpt-5": _GPT_5,
    "gpt-5-codex": _GPT_5,
    "gpt-5-mini": _GPT_5_MINI,
    "gpt-5-nano": _free_writes(0.05, 0.40, 0.005),
    "gpt-5.1": _GPT_5,
    "gpt-5.1-codex": _GPT_5,
    "gpt-5.1-codex-mini": _GPT_5_MINI,
    "gpt-5.2": _free_writes(1.75, 14, 0.175),
    "o3": _free_writes(2, 8, 0.50),
    "o4-mini": _free_writes(1.10, 4.40, 0.275),
}

LONG_PRICES = {
    "claude-sonnet-4": _anthropic(6, 22.50),
    "claude-sonnet-4-0": _anthropic(6, 22.50),
    "claude-sonnet-4-5": _anthropic(6, 22.50),
    "gemini-2.5-pro": _free_writes(2.50, 15, 0.25),
}
"""For calls with more than `LONG_PROMPT` tokens of input."""

_VENDOR = re.compile(r"^(?:anthropic|openai|gemini|google|models)/")
_DATE = re.compile(r"[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")


def price_of(model: str, input_tokens: int = 0) -> Price | None:
    """Return a model's price, or None.

    A name may begin with its vendor (`anthropic/…`) and end in a date or `latest`. Anything else
    makes it another model: `gpt-5-pro` costs twelve times as much as `gpt-5`.
    """
    name = _VENDOR.sub("", model.lower())
    if name not in PRICES:
        name = _DATE.sub("", name)
    if input_tokens > LONG_PROMPT and name in LONG_PRICES:
        return LONG_PRICES[name]
    return PRICES.get(name)


def cost(
    model: str,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_hour: int | None = None,
) -> float | None:
    """Return a call's list price in US dollars, or None where model or usage is not known.

    Args:
        model: as the response names it, else as the request does.
        input_tokens: by OpenTelemetry's rule: with everything that was cached.
        output_tokens: with the reasoning tokens.
        cache_read: of the input, what came from the cache.
        cache_write: of the input, what was written to the cache.
        cache_write_hour: of `cache_write`, what was written for an hour.
    """
    price = price_of(model, input_tokens or 0)
    if price is None or input_tokens is None or output_tokens is None:
        return None
    read, write, hour = cache_read or 0, cache_write or 0, cache_write_hour or 0
    plain = max(0, input_tokens - read - write)
    total = (
        plain * price.input
        + output_tokens * price.output
        + read * price.cache_read
        + (write - hour) * price.cache_write
        + hour * (price.cache_write_hour or price.cache_write)
    )
    return total / MILLION
