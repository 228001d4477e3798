"""The agent gets every byte, in order, as long as anything is written; the recorder as well."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.shim import Recorder

PATIENCE = 60
BINARY = "import os, sys; data = bytes(range(256)) * 4000\nfor _ in range(5): os.write(1, data)"


class Way:
    """A pipe or a socket to what is started, which is read here."""

    def __init__(self, kind: str) -> None:
        if kind == "pipe":
            self.reads, self.writes = os.pipe()
        else:
            one, other = socket.socketpair()
            self.reads, self.writes = one.detach(), other.detach()

    def close_writing(self) -> None:
        os.close(self.writes)

    def read(self) -> Iterator[bytes]:
        while part := os.read(self.reads, 1 << 16):
            yield part

    def all(self) -> bytes:
        return b"".join(self.read())

    def close(self) -> None:
        os.close(self.reads)


@pytest.fixture(params=["pipe", "socket"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    opened = Way(request.param)
    yield opened
    opened.close()


def start(launcher: str, script: str, way: Way, errors: int | None = None) -> subprocess.Popen:
    """Start a script that writes to a way; we have no writing end of it any more."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        executable=launcher,
        stdin=subprocess.PIPE,
        stdout=way.writes,
        stderr=errors,
    )
    way.close_writing()
    return process


def end(process: subprocess.Popen) -> int:
    """Let a script end; return its exit code."""
    process.communicate(timeout=PATIENCE)
    code: int = process.returncode
    return code


def test_a_hundred_megabytes(bash: str, recorder: Recorder, way: Way) -> None:
    process = start(bash, "head -c 100000000 /dev/zero | tr '\\0' x", way)

    seen = hashlib.sha256()
    for part in way.read():
        seen.update(part)

    assert end(process) == 0
    assert seen.digest() == hashlib.sha256(b"x" * 100_000_000).digest()
    assert hashlib.sha256(recorder.command().stdout).digest() == seen.digest()


def test_bytes_of_every_kind(bash: str, recorder: Recorder, way: Way) -> None:
    process = start(bash, f"exec python3 -c '{BINARY}'", way)

    assert way.all() == bytes(range(256)) * 20_000
    assert end(process) == 0
    assert recorder.command().stdout == bytes(range(256)) * 20_000


def test_one_stream_for_both_keeps_the_order(bash: str, recorder: Recorder, way: Way) -> None:
    script = "for n in {1..500}; do echo $n; echo -$n >&2; done"
    process = start(bash, script, way, errors=way.writes)

    said = b"".join(b"%d\n-%d\n" % (number, number) for number in range(1, 501))
    assert way.all() == said
    assert end(process) == 0
    command = recorder.command()
    assert (command["merged"], command.merged) == ("1", said)


def test_what_goes_on_in_the_background_outlives_the_shell(
    bash: str, recorder: Recorder, way: Way
) -> None:
    process = start(bash, "(read -r line; echo $line) <&0 & echo on", way)
    assert os.read(way.reads, 100) == b"on\n"
    assert process.wait(PATIENCE) == 0

    process.communicate(b"late\n", timeout=PATIENCE)

    assert way.all() == b"late\n"
    command = recorder.command()
    assert command.stdout == b"on\nlate\n"
    assert command.drained["outlived"] == "1"


def test_a_closed_stream_is_closed_for_the_agent_at_once(bash: str, way: Way) -> None:
    process = start(bash, "echo out; exec >&-; read -r line; exit 3", way)

    assert way.all() == b"out\n"
    process.communicate(b"\n", timeout=PATIENCE)
    assert process.returncode == 3


def test_an_agent_that_stops_reading_ends_the_writer(bash: str, recorder: Recorder) -> None:
    for path in ("/bin/bash", bash):
        way = Way("pipe")
        process = start(path, "yes; echo $? >&2; exit 3", way, errors=subprocess.PIPE)
        assert os.read(way.reads, 2) == b"y\n"
        way.close()

        assert process.stderr
        assert process.stderr.readline() == b"141\n"
        assert end(process) == 3
    assert recorder.command().ended["code"] == "3"


def test_an_agent_that_reads_after_the_end(bash: str, way: Way) -> None:
    process = start(bash, "head -c 60000 /dev/zero; (yes &) ; exit 3", way)

    assert end(process) == 3

    assert os.read(way.reads, 60000) == bytes(60000)


def test_a_writer_waits_for_a_reader(bash: str, tmp_path: Path) -> None:
    way = Way("pipe")
    size = 3 * 65536
    process = start(bash, f"head -c {size} /dev/zero; touch {tmp_path}/done", way)

    assert len(way.all()) == size
    assert end(process) == 0
    way.close()
    assert (tmp_path / "done").exists()


def test_pipes_have_the_capacity_they_had(bash: str) -> None:
    script = "exec python3 -c 'import fcntl; print(fcntl.fcntl(1, 1032))'"
    way = Way("pipe")
    fcntl.fcntl(way.writes, 1031, 1 << 17)
    process = start(bash, script, way)

    assert way.all() == b"131072\n"
    assert end(process) == 0
    way.close()


@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_a_file_is_the_agents_own(bash: str, recorder: Recorder, tmp_path: Path, mode: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before\n")
    with file.open(mode) as opened:
        opened.write(b"first\n")
        opened.flush()
        script = f"readlink /proc/$$/fd/1 | grep -c {file}; echo err >&2; exit 3"
        done = subprocess.run(
            ["bash", "-c", script], executable=bash, stdout=opened, stderr=opened, check=False
        )
        opened.write(b"last\n")

    assert done.returncode == 3
    first = b"before\n" if mode == "ab" else b""
    assert file.read_bytes() == first + b"first\n1\nerr\nlast\n"
    command = recorder.command()
    assert (command["fd1"], command["merged"]) == ("file", "1")
    assert command.merged == b"1\nerr\n"


def test_what_is_not_recorded_is_said(bash: str, recorder: Recorder) -> None:
    subprocess.run(
        ["bash", "-c", "exec >&-; true"],
        executable=bash,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )

    command = recorder.command()
    assert (command["fd1"], command["fd2"]) == ("null", "pipe")
    assert command.all("unrecorded") == [b"1"]
