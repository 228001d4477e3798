from __future__ import annotations

import signal
import threading
import time

import pytest

from traceproof.team.signals import ENDING, Signals


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_is_heard_whichever_thread_it_is_handed_to(number: signal.Signals) -> None:
    def take() -> None:
        time.sleep(0.05)  # by then the main thread sleeps
        signal.pthread_kill(threading.get_ident(), number)

    with Signals() as signals:
        other = threading.Thread(target=take)
        other.start()
        signals.wait()
        other.join()


def test_several_at_once_are_heard_one_after_the_other() -> None:
    with Signals() as signals:
        for number in ENDING:
            signal.raise_signal(number)
        for _ in ENDING:
            signals.wait()


def test_a_wait_can_be_ended_and_after_the_end_that_does_nothing() -> None:
    with Signals() as signals:
        threading.Thread(target=signals.wake).start()
        signals.wait()
    signals.wake()


def test_afterwards_all_is_as_before_and_what_was_ignored_stays_so() -> None:
    hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = [signal.getsignal(number) for number in ENDING]
    try:
        with Signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) not in before
        assert [signal.getsignal(number) for number in ENDING] == before
    finally:
        signal.signal(signal.SIGHUP, hangup)
