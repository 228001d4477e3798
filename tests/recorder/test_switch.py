from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from traceproof.recorder.consent import Control, State
from traceproof.recorder.switch import leftovers, live, switch


def control(store: Path, trace_id: str, started: int = 1000) -> Control:
    return Control(store, trace_id, agent="aider", started=started)


def test_the_only_recording_needs_no_name(tmp_path: Path) -> None:
    with control(tmp_path, "aa11") as held:
        paused = switch(tmp_path, State.PAUSED, by="ann")

        assert (paused.header.trace_id, paused.state) == ("aa11", State.PAUSED)
        assert held.state() is State.PAUSED
        assert held.intervals()[-1].by == "ann"
        assert live(tmp_path) == [paused]

        assert switch(tmp_path, State.PAUSED).state is State.PAUSED
        assert switch(tmp_path, State.RECORDING).state is State.RECORDING
        assert held.state() is State.RECORDING
        assert len(held.intervals()) == 3


def test_one_of_several_is_named_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    with control(tmp_path, "aa11", 1) as first, control(tmp_path, "ab22", 2) as second:
        with pytest.raises(LookupError, match=r"2 recordings .* aa11 \(aider\), ab22 \(aider\)"):
            switch(tmp_path, State.PAUSED)
        with pytest.raises(LookupError, match="2 recordings"):
            switch(tmp_path, State.PAUSED, "a")
        with pytest.raises(LookupError, match=r"no running recording is cc…; there is aa11"):
            switch(tmp_path, State.PAUSED, "cc")

        switch(tmp_path, State.EXCLUDED, "ab")

        assert (first.state(), second.state()) == (State.RECORDING, State.EXCLUDED)
        with pytest.raises(ValueError, match="ab22 is excluded, and that is final"):
            switch(tmp_path, State.RECORDING, "ab")


def test_none_is_running(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no recording is running in"):
        switch(tmp_path, State.PAUSED)


def test_what_was_killed_is_not_live_but_left_over(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from traceproof.recorder.consent import Control, State
from traceproof.recorder.switch import switch
held = Control(Path(sys.argv[1]), "dead", agent="x", started=1)
switch(Path(sys.argv[1]), State.EXCLUDED)
os._exit(9)
"""
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], check=False, env=os.environ)

    assert ended.returncode == 9
    assert live(tmp_path) == []
    assert [(item.header.trace_id, item.state) for item in leftovers(tmp_path)] == [
        ("dead", State.EXCLUDED)
    ]
    with pytest.raises(LookupError, match="no recording is running"):
        switch(tmp_path, State.PAUSED)


def test_files_that_are_no_control_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "empty.jsonl").touch()
    (tmp_path / "control" / "odd.jsonl").write_text("odd\n")
    (tmp_path / "control" / "link.jsonl").symlink_to("/dev/zero")

    assert live(tmp_path) == leftovers(tmp_path) == []
