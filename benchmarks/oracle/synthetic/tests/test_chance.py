"""Random numbers, threads, and how busy the machine is."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable

from shop import Stock

WORK, PATIENCE = 0.2, 2.0
"""Seconds of processor time, and how many times as long that may take by the clock."""


def in_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(20_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def test_no_prize() -> None:
    assert random.random() >= 0.1


def test_no_prize_of_the_system() -> None:
    assert secrets.randbelow(10) != 0


def test_no_prize_with_a_seed() -> None:
    assert random.Random(4).random() >= 0.1


def test_stock_of_four_threads() -> None:
    stock = Stock()
    in_threads(stock.add)
    assert stock.items == 80_000


def test_stock_of_four_careful_threads() -> None:
    stock = Stock()
    in_threads(stock.add_safely)
    assert stock.items == 80_000


def test_meets_its_deadline() -> None:
    began = time.perf_counter()
    compute(WORK)
    assert time.perf_counter() - began < WORK * PATIENCE


def test_meets_a_deadline_of_its_own_time() -> None:
    began = time.process_time()
    compute(WORK)
    assert time.process_time() - began < WORK * PATIENCE
