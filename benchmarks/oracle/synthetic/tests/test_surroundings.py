"""What is around the process: hash seed, clock, time zone, locale, files, network."""

from __future__ import annotations

import locale
import os
import socket
from collections.abc import Iterator
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from shop import a_year_on

PAGES = Path(__file__).parent / "pages"


@pytest.fixture(name="own_locale")
def _own_locale() -> Iterator[None]:
    """The user's locale for one test."""
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "")
    yield
    locale.setlocale(locale.LC_ALL, before)


def test_first_of_a_set() -> None:
    assert next(iter({"red", "green"})) == next(iter({"red", "blue"}))


def test_first_of_a_sorted_set() -> None:
    assert min({"red", "green"}) == "green"


def test_subscription_ends_in_a_year() -> None:
    assert a_year_on(date.today()) > date.today()


def test_open_today() -> None:
    assert date.today().isoweekday() != 7


def test_subscription_of_one_day() -> None:
    assert a_year_on(date(2023, 3, 1)) == date(2024, 3, 1)


def test_epoch_is_midnight() -> None:
    assert datetime.fromtimestamp(0).hour == 0


def test_epoch_is_midnight_in_utc() -> None:
    assert datetime.fromtimestamp(0, timezone.utc).hour == 0


@pytest.mark.usefixtures("own_locale")
def test_price_with_a_point() -> None:
    assert locale.format_string("%.2f", 9.5) == "9.50"


@pytest.mark.usefixtures("own_locale")
def test_text_is_utf8() -> None:
    assert locale.nl_langinfo(locale.CODESET) == "UTF-8"


def test_price_without_locale() -> None:
    assert f"{9.5:.2f}" == "9.50"


def test_no_way_out() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(OSError):
        sender.connect(("192.0.2.1", 9))  # nothing is sent: is there a route?


def test_talks_to_itself() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"a")
        assert there.recv(1) == b"a"


def test_pages_follow_each_other() -> None:
    names = [entry.name for entry in os.scandir(PAGES)]
    assert names in (sorted(names), sorted(names, reverse=True))


def test_all_pages_are_there() -> None:
    assert sorted(os.listdir(PAGES)) == [f"page{number}.txt" for number in range(1, 9)]
