from __future__ import annotations

import threading
import time

import pytest

from traceproof.recorder.flushtimer import FlushTimer, TimerThread


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

    assert not timer._thread.alive


def test_what_it_calls_may_arm_and_stop_it() -> None:
    done = threading.Event()

    def call() -> None:
        timer.arm()
        timer.stop()
        done.set()

    timer = FlushTimer(0.01, call)
    timer.arm()

    assert done.wait(10)


# --- many on one thread ---------------------------------------------------------------------------


def test_many_timers_share_one_thread() -> None:
    before = threading.active_count()
    thread = TimerThread()
    called = threading.Semaphore(0)
    timers = [FlushTimer(0.01, called.release, thread) for _ in range(50)]
    for timer in timers:
        timer.arm()

    assert threading.active_count() == before + 1
    assert all(called.acquire(timeout=10) for _ in timers)
    thread.stop()
    assert not thread.alive


def test_the_one_that_is_due_first_is_called_first() -> None:
    thread = TimerThread()
    called: list[str] = []
    done = threading.Event()

    def last() -> None:
        called.append("late")
        done.set()

    late = FlushTimer(0.2, last, thread)
    soon = FlushTimer(0.01, lambda: called.append("soon"), thread)
    late.arm()
    soon.arm()

    assert done.wait(10)
    assert called == ["soon", "late"]
    thread.stop()


def test_stopping_one_leaves_the_others_and_their_thread() -> None:
    thread = TimerThread()
    called = threading.Event()
    stopped, other = FlushTimer(1000, lambda: None, thread), FlushTimer(0.05, called.set, thread)
    stopped.arm()
    other.arm()
    stopped.stop()

    assert called.wait(10)
    assert thread.alive
    thread.stop()


def test_stopping_waits_for_a_call_that_runs() -> None:
    thread = TimerThread()
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        assert go_on.wait(10)
        ended.set()

    timer = FlushTimer(0.0, call, thread)
    timer.arm()
    assert begun.wait(10)
    threading.Timer(0.05, go_on.set).start()
    timer.stop()

    assert ended.is_set()
    thread.stop()


def test_one_that_fails_is_logged_and_the_others_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thread = TimerThread()
    called = threading.Event()
    FlushTimer(0.0, lambda: 1 / 0, thread).arm()
    FlushTimer(0.05, called.set, thread).arm()

    assert called.wait(10)
    assert "ZeroDivisionError" in caplog.text
    thread.stop()
