from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., Any]


@pytest.fixture
def running(project: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A recording that lasts until its stdin ends."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "traceproof", "record", "--", "sh", "-c", "echo started; cat"],
        cwd=project,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == b"started\n"
        yield recorder


def end(recorder: subprocess.Popen[bytes]) -> None:
    recorder.communicate()
    assert recorder.returncode == 0


def test_a_pause_and_its_end_are_said_and_are_in_the_trace(
    here: Here, running: subprocess.Popen[bytes]
) -> None:
    paused, resumed = here("pause"), here("resume", "--json")
    end(running)

    assert (paused.code, paused.err) == (0, "")
    trace_id = paused.out.partition(" ")[0]
    assert paused.out == f"{trace_id} (sh): paused\n"
    assert resumed.json == {"trace_id": trace_id, "agent": "sh", "state": "recording"}
    assert here("ls", "--json").json[0]["closed"]


def test_a_recording_can_be_named_by_the_beginning_of_its_id(
    here: Here, running: subprocess.Popen[bytes]
) -> None:
    trace_id = here("pause", "--json").json["trace_id"]

    assert here("resume", trace_id[:6]).code == 0
    code, _, err = here("pause", "zz")
    assert code == 2
    assert err == f"traceproof: no running recording is zz…; there is {trace_id} (sh)\n"
    end(running)


def test_an_excluded_session_is_gone_for_good(here: Here, running: subprocess.Popen[bytes]) -> None:
    assert here("exclude").out.endswith(" (sh): excluded\n")

    code, _, err = here("resume")
    assert code == 2
    assert err.endswith(" is excluded, and that is final\n")
    end(running)
    seen = here("show", "--json").json
    assert seen["facts"].keys() == {"gen_ai.agent.name"}
    assert {node["kind"] for node in seen["root"]["children"]} == {"consent"}
