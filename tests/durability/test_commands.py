"""Shell commands under attack: the recorder dies, the disk is full, a command does its worst.

Each time the command must come out as it would have without a recorder, and the recorder, where it
is still there, must go on.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.reader import Record, TraceReader

if TYPE_CHECKING:
    from tests.durability.conftest import Disk

COMMANDER = Path(__file__).with_name("commander.py")
SECOND = 1_000_000_000
MARGIN = 0.25
"""Seconds beyond the promised one, for a machine that has other things to do."""

COUNT = """
for number in $(seq 1 40); do
    echo "$number $EPOCHREALTIME"; echo "error $number" >&2; NOISE; sleep 0.1
done
echo whole > file
exit 7
"""
"""Writes a line with the time ten times a second, for four seconds; then a file."""

QUIET, LOUD = (
    COUNT.replace("NOISE", noise)
    for noise in (":", "head -c 6000 /dev/urandom | base64 -w 0; echo")
)

BOMB = """
exec unshare --pid --fork --kill-child \
    setpriv --reuid 54321 --regid 54321 --clear-groups \
    bash -c 'ulimit -u 60; bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 2; echo over'
"""

CLOSES = """
for number in $(seq 0 255); do eval "exec $number>&-"; done
sleep 0.2
mkdir file
exit 5
"""

New = Callable[..., Any]


class Commander:
    """A recorder under way, and the agent that runs commands under it."""

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        recorder.started()

    def start(self, script: str, times: int = 1) -> None:
        self.recorder.say(json.dumps({"script": script, "times": times}))

    def run(self, script: str) -> dict[str, Any]:
        self.start(script)
        heard: dict[str, Any] = self.recorder.heard()
        return heard

    def commands(self) -> list[Record]:
        """Return what the trace has of the commands so far, in the order in which they began."""
        with TraceReader.open(self.recorder.trace) as reader:
            records = sorted(reader.records(inline=True), key=lambda record: record.span.start)
        return [one for one in records if semconv.PROCESS_EXECUTABLE_NAME in one.span.attributes]


@pytest.fixture
def new(tmp_path: Path, new_recorder: Callable[..., Any]) -> Iterator[Callable[..., Commander]]:
    """Start a recorder, and the agent that runs commands; after the test nothing of it runs."""
    with ExitStack() as started:

        def new(*options: str, store: Path | None = None) -> Commander:
            recorder = new_recorder(None, tmp_path, *options, store=store, agent=COMMANDER)
            return Commander(started.enter_context(recorder))

        yield new


def lines(text: object) -> list[tuple[int, float]]:
    """Return the whole lines of the counting command: a number, and when it was written."""
    plain = text.decode() if isinstance(text, bytes) else str(text)
    found = re.findall(r"^(\d+) (\d+\.\d+)\n", plain, re.MULTILINE)
    return [(int(number), float(moment)) for number, moment in found]


def assert_untouched(came: dict[str, Any], folder: Path) -> None:
    """Check that the counting command did all that it does."""
    assert came["code"] == 7
    assert [number for number, _ in lines(came["stdout"])] == list(range(1, 41))
    assert came["stderr"] == "".join(f"error {number}\n" for number in range(1, 41))
    assert (folder / "file").read_text() == "whole\n"


@pytest.mark.parametrize(("moment", "script"), [(1.6, QUIET), (2.4, LOUD), (3.3, QUIET)])
def test_the_recorder_is_killed_in_the_middle_of_a_command(
    new: New, moment: float, script: str
) -> None:
    commander = new()
    commander.start(script)
    time.sleep(moment)
    now = time.time()
    commander.recorder.kill()

    (came,) = commander.recorder.rest()

    assert_untouched(came, commander.recorder.project)
    (record,) = commander.commands()
    assert record.pending
    there = lines(record.span.attributes[semconv.COMMAND_STDOUT])
    written = [number for number, at in lines(came["stdout"]) if at < now - 1 - MARGIN]
    assert [number for number, _ in there][: len(written)] == written
    assert record.span.attributes[semconv.COMMAND_STATE] == "pending"
    assert semconv.PROCESS_EXIT_CODE not in record.span.attributes


def test_the_commands_of_an_agent_whose_recorder_was_killed(new: New) -> None:
    commander = new()
    assert commander.run("echo before")["stdout"] == "before\n"
    commander.recorder.kill()

    after = commander.run("echo after; exit 3")

    assert after == {"code": 3, "stdout": "after\n", "stderr": ""}


def test_a_recorder_that_is_stuck(new: New) -> None:
    commander = new()
    assert commander.run("echo before")["stdout"] == "before\n"
    commander.recorder.process.send_signal(signal.SIGSTOP)

    flood = commander.run("seq 1 2000000; exit 6")
    short = commander.run("echo meanwhile")
    commander.recorder.process.send_signal(signal.SIGCONT)
    after = commander.run("echo after; exit 2")

    assert (flood["code"], len(flood["stdout"])) == (6, 14_888_896)
    assert (short["code"], short["stdout"]) == (0, "meanwhile\n")
    assert (after["code"], after["stdout"]) == (2, "after\n")
    assert commander.recorder.end().code == 0
    last = commander.commands()[-1].span.attributes
    assert last[semconv.PROCESS_EXIT_CODE] == 2


def test_the_disk_is_full_in_the_middle_of_a_command(new: New, disk: Callable[[], Disk]) -> None:
    small = disk()
    commander = new(store=small.path / "store")
    commander.start(LOUD)
    time.sleep(1)
    small.fill()

    came = commander.recorder.heard()

    assert_untouched(came, commander.recorder.project)
    code, told = commander.recorder.end()
    assert code == 3
    assert "could be written: No space left on device" in told[-1]


def test_much_output_on_a_full_disk(new: New, disk: Callable[[str], Disk]) -> None:
    small = disk("64m")
    commander = new(store=small.path / "store")
    commander.run("true")
    small.fill()

    came = commander.run("head -c 200000000 /dev/urandom | base64 -w 0 | wc -c; exit 4")
    flood = commander.run("head -c 20000000 /dev/urandom | base64")

    assert came == {"code": 4, "stdout": "266666668\n", "stderr": ""}
    assert (flood["code"], len(flood["stdout"])) == (0, 27_017_546)
    small.free()
    assert commander.run("echo again")["stdout"] == "again\n"
    assert commander.recorder.end() == (0, [])
    commands = [each.span.attributes for each in commander.commands()]
    assert [each[semconv.PROCESS_EXIT_CODE] for each in commands] == [0, 4, 0, 0]
    assert commands[2][semconv.COMMAND_STDOUT] == flood["stdout"].encode()


def test_more_output_than_can_wait_for_a_full_disk(new: New, disk: Callable[[str], Disk]) -> None:
    small = disk("256m")
    commander = new(store=small.path / "store")
    commander.run("true")
    small.fill()

    flood = commander.run("head -c 100000000 /dev/urandom | base64")

    assert (flood["code"], len(flood["stdout"])) == (0, 135_087_722)
    small.free()
    assert commander.run("echo again")["stdout"] == "again\n"
    code, told = commander.recorder.end()
    assert code == 3
    assert any("bytes of commands' output are missing" in line for line in told)
    _, flooded, again = (each.span.attributes for each in commander.commands())
    there = flooded[semconv.COMMAND_STDOUT]
    assert isinstance(there, bytes)
    assert len(there) > 1 << 20
    assert flood["stdout"].encode().startswith(there)
    assert again[semconv.COMMAND_STDOUT] == "again\n"


def test_a_fork_bomb(new: New) -> None:
    commander = new()

    bomb = commander.run(BOMB)
    after = commander.run("echo after")

    assert bomb["stdout"].endswith("over\n") or bomb["code"]
    assert after == {"code": 0, "stdout": "after\n", "stderr": ""}
    assert commander.recorder.end().code == 0
    first, second = commander.commands()
    assert first.span.attributes[semconv.PROCESS_EXIT_CODE] == bomb["code"]
    assert second.span.attributes[semconv.COMMAND_STDOUT] == "after\n"


def test_a_hundred_commands_at_once(new: New) -> None:
    commander = new()
    commander.start("echo $$; exec 2>&-; exit 2", times=100)

    came = [commander.recorder.heard() for _ in range(100)]

    assert all(each["code"] == 2 and each["stdout"].strip().isdecimal() for each in came)
    assert commander.recorder.end().code == 0
    there = [str(each.span.attributes[semconv.COMMAND_STDOUT]) for each in commander.commands()]
    assert sorted(there) == sorted(each["stdout"] for each in came)


def test_a_command_that_closes_all_descriptors(new: New) -> None:
    commander = new()

    assert commander.run(CLOSES) == {"code": 5, "stdout": "", "stderr": ""}
    assert (commander.recorder.project / "file").is_dir()
    assert commander.run("echo after")["stdout"] == "after\n"
    assert commander.recorder.end().code == 0
    codes = [each.span.attributes[semconv.PROCESS_EXIT_CODE] for each in commander.commands()]
    assert codes == [5, 0]
