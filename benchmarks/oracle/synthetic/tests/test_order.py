"""What tests leave behind for each other: each kind has keys of its own."""

from __future__ import annotations

import pytest
from shop import SETTINGS


def test_default_currency() -> None:
    assert "currency" not in SETTINGS


def test_prices_in_euro() -> None:
    SETTINGS["currency"] = "EUR"
    assert SETTINGS["currency"] == "EUR"


def test_full_price() -> None:
    assert not {"coupon", "gift card"} <= SETTINGS.keys()


def test_coupon() -> None:
    SETTINGS["coupon"] = "10 %"


def test_gift_card() -> None:
    SETTINGS["gift card"] = "20"


def test_opens_catalogue() -> None:
    SETTINGS["catalogue"] = "spring"


def test_finds_book() -> None:
    assert SETTINGS.get("catalogue") == "spring"


def test_fills_cart() -> None:
    SETTINGS["cart"] = "a book"


def test_cart_is_empty() -> None:
    assert "cart" not in SETTINGS


def test_prices_in_yen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "language", "ja")
    assert SETTINGS["language"] == "ja"


def test_default_language() -> None:
    assert "language" not in SETTINGS


class TestBasket:
    """Tests that share a class's fixture: taken apart they would fail in set-up."""

    items: list[str]

    @classmethod
    def setup_class(cls) -> None:
        cls.items = []

    def test_takes_one(self) -> None:
        self.items.append("a pen")
        assert "a pen" in self.items

    def test_is_a_list(self) -> None:
        assert isinstance(self.items, list)
