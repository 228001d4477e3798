from __future__ import annotations

import threading
import time

from traceproof.recorder.flushtimer import FlushTimer


def test_it_calls_once_for_each_arming() -> None:
    called = threading.Semaphore(0)
    timer = FlushTimer(0.01, called.release)
    for _ in range(2):
        timer.arm()
        timer.arm()
        assert called.acquire(timeout=10)
    timer.stop()

    assert not called.acquire(blocking=False)


def test_it_counts_from_the_first_arming() -> None:
    called = threading.Event()
    timer = FlushTimer(0.2, called.set)
    started = time.monotonic()
    timer.arm()

    assert called.wait(10)
    assert time.monotonic() - started >= 0.2
    timer.stop()


def test_it_starts_no_thread_before_it_is_armed() -> None:
    before = threading.active_count()
    timer = FlushTimer(10, lambda: None)

    assert threading.active_count() == before
    timer.stop()


def test_stopping_does_not_wait_for_the_time_to_come() -> None:
    timer = FlushTimer(1000, lambda: None)
    timer.arm()
    timer.stop()
    timer.stop()
    timer.arm()

    assert timer._thread is not None
    assert not timer._thread.is_alive()


def test_what_it_calls_may_arm_and_stop_it() -> None:
    done = threading.Event()

    def call() -> None:
        timer.arm()
        timer.stop()
        done.set()

    timer = FlushTimer(0.01, call)
    timer.arm()

    assert done.wait(10)
