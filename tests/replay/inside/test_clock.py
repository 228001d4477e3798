"""The shifted clock: what is ahead, and all that must not notice.

Each control runs in a process of its own, whose clock is shifted before anything else, once far
ahead and once behind; trap 2 of test_traps.py has pytest in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.heard import Suite
from traceproof.replay import inside, kit
from traceproof.replay.runs import Conditions

YEARS = 3 * 365 * 86400

CONTROLS = {
    "sleep": "time.sleep(0.1)",
    "event": "assert not threading.Event().wait(0.1)",
    "queue": """
try:
    queue.Queue().get(timeout=0.1)
except queue.Empty:
    pass""",
    "condition": """
condition = threading.Condition()
with condition:
    assert not condition.wait(0.1)""",
    "lock": """
lock = threading.Lock()
lock.acquire()
assert not lock.acquire(timeout=0.1)""",
    "lock of processes": """
lock = multiprocessing.Lock()
lock.acquire()
assert not lock.acquire(timeout=0.1)""",
    "join": """
thread = threading.Thread(target=time.sleep, args=(0.2,))
thread.start()
thread.join(0.1)
assert thread.is_alive()""",
    "subprocess": """
try:
    subprocess.run(["sleep", "9"], timeout=0.1)
except subprocess.TimeoutExpired:
    pass""",
    "select": "assert select.select([], [], [], 0.1) == ([], [], [])",
    "asyncio": "asyncio.run(asyncio.sleep(0.1))",
    "alarm": """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
signal.setitimer(signal.ITIMER_REAL, 0.1)
signal.sigwait({signal.SIGALRM})""",
}
TIMED = """
import asyncio, multiprocessing, queue, select, signal, subprocess, threading, time
before = time.monotonic()
{}
took = time.monotonic() - before
assert 0.09 <= took < 20, took
print(time.time())
"""


def run(code: str, ahead: int, **conditions: Any) -> str:
    around = Conditions(clock=ahead, **conditions)
    environment = {"PYTHONPATH": inside.__path__[0], **kit.environment(around)}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("ahead", [YEARS, -86400])
@pytest.mark.parametrize("control", CONTROLS)
def test_what_waits_waits_as_long(control: str, ahead: int) -> None:
    told = float(run(TIMED.format(CONTROLS[control].strip("\n")), ahead))

    assert abs(told - time.time() - ahead) < 60


def test_every_way_to_ask_for_the_time_says_the_same() -> None:
    code = """
import datetime, os, sqlite3, time
told = [time.time(), time.time_ns() / 1e9, datetime.datetime.now().timestamp(),
        time.mktime(time.localtime()), time.clock_gettime(time.CLOCK_REALTIME),
        time.clock_gettime(5)]
assert max(told) - min(told) < 5, told
print(min(told))
"""
    assert abs(float(run(code, YEARS)) - time.time() - YEARS) < 60


def test_monotonic_time_is_not_touched() -> None:
    code = """
import time
print(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))
"""
    before = time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
    told = [float(word) for word in run(code, YEARS).split()]

    assert 0 <= told[0] - before[0] < 60
    assert 0 <= told[1] - before[1] < 60


@pytest.mark.parametrize("ahead", [YEARS, -86400])
def test_a_new_file_is_as_new_and_an_old_one_as_old(tmp_path: Path, ahead: int) -> None:
    old = tmp_path / "old"
    old.touch()
    changed = time.time() - 3600
    os.utime(old, (changed, changed))
    code = f"""
import os, pathlib, time
new = pathlib.Path({str(tmp_path / "new")!r})
new.touch()
entry = [one for one in os.scandir(new.parent) if one.name == "new"][0]
with new.open() as file:
    told = [new.stat(), new.lstat(), os.fstat(file.fileno()), entry.stat(),
            os.stat("new", dir_fd=os.open(str(new.parent), os.O_RDONLY))]
for one in told:
    assert abs(one.st_mtime - time.time()) < 5, (one, time.time())
    assert abs(one.st_ctime - time.time()) < 5, (one, time.time())
past = time.time() - 10
os.utime(str(new), (past, past))
assert abs(new.stat().st_mtime - past) < 1, (new.stat(), past)
try:
    os.stat("/not/there")
except FileNotFoundError:
    print(os.stat({str(old)!r}).st_mtime)
"""
    assert abs(float(run(code, ahead)) - changed) < 1


def test_threads_and_forks_have_the_clock_too() -> None:
    code = """
import os, threading, time
def spin():
    for _ in range(200000): pass
threads = [threading.Thread(target=spin) for _ in range(3)]
for one in threads: one.start()
for one in threads: one.join(20)
assert not any(one.is_alive() for one in threads)
reader, writer = os.pipe()
if not os.fork():
    os.write(writer, str(time.time()).encode())
    os._exit(0)
print(os.read(reader, 100).decode())
"""
    assert abs(float(run(code, YEARS)) - time.time() - YEARS) < 60


def test_pythons_that_tests_start_have_the_clock_too(suite: Suite) -> None:
    suite.write(
        test_a="""
import subprocess, sys, time
def test_a():
    code = "import time; print(time.time())"
    told = float(subprocess.check_output([sys.executable, "-c", code]))
    assert abs(told - time.time()) < 60
"""
    )

    assert [case.outcome for case in suite.hear(clock=YEARS).cases] == ["passed"]


def test_a_clock_that_cannot_be_shifted_is_a_problem(suite: Suite) -> None:
    suite.write(test_a="def test_a(): pass")

    result = suite.hear(clock=1 << 70)

    assert result.problem.startswith("clock: ")
    assert not result.complete
