from __future__ import annotations

import os
import signal
import threading

import pytest

from traceproof.replay.interrupts import interruptible


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, SystemExit),
        (signal.SIGHUP, SystemExit),
    ],
)
def test_a_signal_is_an_exception(number: signal.Signals, kind: type[BaseException]) -> None:
    before = signal.getsignal(number)

    with pytest.raises(kind) as raised, interruptible():
        os.kill(os.getpid(), number)

    if isinstance(raised.value, SystemExit):
        assert raised.value.code == 128 + number
    assert signal.getsignal(number) == before


def interrupted(*while_clearing_up: signal.Signals) -> bool:
    """Be interrupted, and again while clearing up; never returns normally."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        for number in while_clearing_up:
            os.kill(os.getpid(), number)
        cleared.append(True)
    return False


cleared: list[bool] = []


def test_clearing_up_is_not_interrupted() -> None:
    cleared.clear()

    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupted(signal.SIGINT, signal.SIGTERM)

    assert cleared == [True]


def test_who_insists_is_heard() -> None:
    cleared.clear()

    with pytest.raises(SystemExit), interruptible():
        interrupted(signal.SIGTERM, signal.SIGTERM, signal.SIGTERM)

    assert cleared == []


def test_another_thread_does_without() -> None:
    ran = []

    def work() -> None:
        with interruptible():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [True]
