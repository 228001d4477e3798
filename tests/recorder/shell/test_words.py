from __future__ import annotations

import pytest

from support.shimclient import hello_fields
from traceproof.recorder.shell.connection import Hello
from traceproof.recorder.shell.words import (
    LATEST,
    Drained,
    ShellEnd,
    command_start,
    credible,
    drained,
    shell_end,
)
from traceproof.recorder.shim import wire

NOW = 1_800_000_000_000_000_000


def hello(time: int = NOW - 1000, **more: str) -> Hello:
    return Hello(time, hello_fields("make", **more))


def end(**said: str) -> ShellEnd:
    pairs = [(name.encode(), value.encode()) for name, value in said.items()]
    return shell_end(wire.encode_fields(pairs))


def test_a_shell_s_hello() -> None:
    start = command_start(
        hello(NOW - 1000, **{"env.TRACEPARENT": "00-aa-bb-01", "merged": "1"}), NOW
    )

    assert (start.name, start.args, start.script) == ("bash", ("bash", "-c", "make"), "make")
    assert (start.hook, start.cwd, start.started) == ("path", "/srv", NOW - 1000)
    assert (start.pid, start.ppid, start.sid, start.pgid) == (42, 41, 40, 42)
    assert start.streams == {"stdin": "null", "stdout": "pipe", "stderr": "pipe"}
    assert start.environment == {"TRACEPARENT": "00-aa-bb-01"}
    assert start.merged


def test_a_hello_that_says_nothing_or_nonsense() -> None:
    empty = command_start(Hello(0, []), NOW)
    strange = command_start(hello(NOW + 10**12, fd1="teapot", fd9="pipe", pid="x"), NOW)

    assert (empty.name, empty.args, empty.script, empty.started) == ("", (), "", NOW - LATEST)
    assert strange.streams == {"stdin": "null", "stdout": "other", "stderr": "pipe"}
    assert (strange.pid, strange.started) == (0, NOW)


def test_how_a_shell_ends() -> None:
    assert end(code="3", utime_us="1500000", stime_us="20", maxrss_kb="8") == ShellEnd(
        3, "", 1.5, 0.00002, 8192
    )
    assert end(signal="9").signal == "SIGKILL"
    assert end(signal="40").signal == "SIG40"
    assert end(code="-1", maxrss_kb="much") == ShellEnd(None, "", None, None, None)
    with pytest.raises(ValueError, match="cut off"):
        shell_end(b"code")


def test_how_its_output_ends() -> None:
    assert drained(b"outlived\x001\x00lost\x0012\x00") == Drained(outlived=True, lost=12)
    assert drained(b"") == Drained(outlived=False, lost=0)


def test_a_clock_that_is_wrong_is_not_believed() -> None:
    assert [credible(time, 10, 20) for time in (5, 10, 15, 20, 25)] == [10, 10, 15, 20, 20]
