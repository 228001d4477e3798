from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from traceproof.recorder.consent import Control, Interval, State
from traceproof.recorder.span import Event
from traceproof.recorder.switch import switch


def control(store: Path, started: int = 1000) -> Control:
    return Control(store, "ab" * 16, agent="claude-code", started=started)


def request(store: Path, line: str) -> None:
    with (store / "control" / f"{'ab' * 16}.jsonl").open("a") as file:
        file.write(line)


def change(store: Path, at: int, state: str, by: str = "ann") -> None:
    request(store, f'{{"time":{at},"state":"{state}","by":"{by}"}}\n')


def test_a_recording_begins_with_consent(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        assert held.state() is State.RECORDING
        assert held.covers(1000, 2000)
        assert held.events() == []
        file = tmp_path / "control" / f"{'ab' * 16}.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    assert list((tmp_path / "control").iterdir()) == []


def test_a_pause_is_a_gap_with_start_end_and_author(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        change(tmp_path, 2000, "paused")
        assert held.state() is State.PAUSED
        assert not held.covers(2500, 2600)
        assert not held.covers(1500, 2000)
        assert held.covers(1500, 1999)
        change(tmp_path, 3000, "recording", "bob")

        assert held.state() is State.RECORDING
        assert held.covers(3001, 4000)
        assert not held.covers(1500, 4000)
        assert [i for i in held.intervals() if i.state is State.PAUSED] == [
            Interval(State.PAUSED, 2000, 3000, "ann")
        ]
        assert held.events() == [
            Event(
                "traceproof.consent",
                2000,
                {
                    "traceproof.consent": "paused",
                    "traceproof.consent.by": "ann",
                    "traceproof.consent.until": 3000,
                },
            )
        ]


def test_exclusion_is_final_and_for_everything(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        change(tmp_path, 2000, "excluded")
        change(tmp_path, 3000, "recording")

        assert held.state() is State.EXCLUDED
        assert not held.covers(1000, 1001)
        assert [event.attributes["traceproof.consent"] for event in held.events()] == ["excluded"]


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        request(tmp_path, '{"time":2000,"state":"pau')
        assert held.state() is State.RECORDING
        request(tmp_path, 'sed","by":"ann"}\n')
        assert held.state() is State.PAUSED


def test_in_doubt_nothing_is_kept(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        request(tmp_path, '{"state":"whatever"}\n')

        assert held.state() is State.PAUSED


def test_saying_it_twice_is_saying_it_once(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        change(tmp_path, 2000, "paused")
        change(tmp_path, 2500, "paused")

        assert len(held.intervals()) == 2


def test_a_clock_that_was_set_back_keeps_the_order(tmp_path: Path) -> None:
    with control(tmp_path, started=5000) as held:
        change(tmp_path, 2000, "paused")

        assert [(i.start, i.end) for i in held.intervals()] == [(5000, 5000), (5000, 0)]


def test_asking_is_cheap(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        started = time.perf_counter()
        for _ in range(1000):
            held.state()

        assert (time.perf_counter() - started) / 1000 < 0.0002


def test_two_recordings_of_one_trace_do_not_mix(tmp_path: Path) -> None:
    with control(tmp_path):
        (tmp_path / "control" / f"{'ab' * 16}.new").touch()
        with pytest.raises(FileExistsError):
            control(tmp_path)


def test_the_control_file_is_not_handed_to_the_agent(tmp_path: Path) -> None:
    with control(tmp_path) as held:
        assert not os.get_inheritable(held._file)


def test_what_is_under_way_in_a_pause_is_not_covered_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    later = time.time_ns() + 3600 * 10**9
    with Control(tmp_path, "a" * 32, agent="x", started=later) as control:
        switch(tmp_path, State.PAUSED)

        assert not control.covers(time.time_ns(), 2**63 - 1)


def test_two_threads_may_ask_while_others_change_the_state(tmp_path: Path) -> None:
    with Control(tmp_path, "a" * 32, agent="x", started=time.time_ns()) as control:
        faults: list[Exception] = []

        def ask() -> None:
            try:
                for _ in range(2000):
                    control.state()
            except OSError as error:
                faults.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            switch(tmp_path, State.PAUSED)
            switch(tmp_path, State.RECORDING)
        for thread in threads:
            thread.join()

        assert faults == []
        assert len(control.intervals()) == 101
