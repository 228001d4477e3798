"""Signals by their numbers, in a process of its own each."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from traceproof.recorder.shim import signals

BEGIN = "import os, signal; from traceproof.recorder.shim import signals; me = os.getpid()\n"


def run(script: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script], stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize(
    ("mask", "numbers"), [(0, []), (1, [1]), (1 << 14 | 1 << 63, [15, 64]), (2**64, [])]
)
def test_a_mask_is_numbers(mask: int, numbers: list[int]) -> None:
    assert signals.numbers(mask) == numbers


def test_what_is_sent_is_read_with_its_sender() -> None:
    script = "signals.block_all(); os.kill(me, 15); print(signals.next_signal() == (15, me))"

    assert run(script) == (0, "True")


def test_one_that_waits_is_taken_once() -> None:
    script = "signals.block_all(); os.kill(me, 15); print(signals.pending(), "
    script += "signals.take(15), signals.take(15), signals.pending())"

    assert run(script) == (0, "[15] True False []")


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_stop_and_its_end_remove_each_other(stop: signal.Signals) -> None:
    script = "signals.block_all(); os.kill(me, {}); os.kill(me, {}); print(signals.pending())"

    assert run(script.format(18, int(stop))) == (0, f"[{int(stop)}]")
    assert signals.undone(18, [int(stop)])
    assert run(script.format(int(stop), 18)) == (0, "[18]")
    assert signals.undone(int(stop), [18])


@pytest.mark.parametrize(("number", "waiting"), [(18, []), (20, [2]), (2, [18]), (15, [20])])
def test_others_remove_nothing(number: int, waiting: list[int]) -> None:
    assert not signals.undone(number, waiting)


def test_what_python_did_is_undone() -> None:
    script = "signals.restore([2]); print(*(signal.getsignal(n).name for n in (2, 13, 17, 25)))"

    assert run(script) == (0, "SIG_IGN SIG_DFL SIG_DFL SIG_DFL")


def test_one_that_is_let_through_ends_the_process() -> None:
    script = "signals.block_all(); signals.default(15); os.kill(me, 15); signals.release(15)"

    assert run(script)[0] == -signal.SIGTERM


def test_what_was_ignored_before_is_told() -> None:
    script = "signal.signal(1, signal.SIG_IGN); print(signals.ignored_now())"

    assert run(script) == (0, "[1]")
