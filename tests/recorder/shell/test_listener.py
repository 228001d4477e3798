"""The listener over its real socket: honest shims, and all the others."""

from __future__ import annotations

import os
import queue
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.shimclient import TOKEN, ShimClient
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell import link
from traceproof.recorder.shell import listener as listening
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.shell.connection import Hello
from traceproof.recorder.shell.listener import Listener
from traceproof.recorder.shell.peers import Answer
from traceproof.recorder.shell.running import ShellContext
from traceproof.recorder.shim import wire
from traceproof.recorder.shim.sockets import LETTERS
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

NOBODY = 65534
RECORD = [(b"verdict", b"record")]


class Recorder:
    """Takes commands in on a thread of its own, as the real one does."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "socket"
        redactor = Redactor()
        self.writer = TraceWriter(folder / "trace.zst", resource={}, mask=redactor.mask)
        self.writer.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
        self.ends: queue.Queue[tuple[str, CommandEnd]] = queue.Queue()
        self.looks: queue.Queue[tuple[str, CommandEnd]] = queue.Queue()
        self.busy = threading.Event()
        self.busy.set()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.context = ShellContext(self.post, self, self.writer, redactor)

    def post(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        del at_once
        self._work.put(action)

    def command_started(self, start: CommandStart) -> str:
        return start.script

    def command_going(self, opened: str, so_far: CommandEnd) -> None:
        self.looks.put((opened, so_far))

    def command_ended(self, opened: str, end: CommandEnd) -> None:
        self.ends.put((opened, end))

    def within_command(self, opened: str, spans: Iterable[Span]) -> None:
        raise AssertionError(f"nobody asked for {list(spans)} in {opened}")

    def close(self) -> None:
        self.busy.set()
        self._work.put(None)
        self._thread.join()
        self.writer.close()

    def _run(self) -> None:
        while action := self._work.get():
            self.busy.wait()
            action()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path)
    yield made
    made.close()


@pytest.fixture
def listener(recorder: Recorder) -> Iterator[Listener]:
    with Listener(recorder.path, TOKEN, {"shell": recorder.context.take}, most=8) as made:
        yield made


@pytest.fixture
def client(recorder: Recorder, listener: Listener) -> Iterator[Callable[[], ShimClient]]:
    del listener
    with ExitStack() as stack:
        yield lambda: stack.enter_context(ShimClient(recorder.path))


Clients = Callable[[], ShimClient]


def test_one_that_may_not_connect_sends_an_end_of_a_pair(
    recorder: Recorder, listener: Listener
) -> None:
    del listener
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        rights = theirs.fileno().to_bytes(4, "little")
        to = str(recorder.path) + LETTERS
        box.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], 0, to)
    theirs.close()

    with ShimClient.over(ours) as shim:
        assert shim.hello("make") == RECORD
        shim.ended(code="3")
        shim.drained()
        assert recorder.ends.get(timeout=30)[1].exit_code == 3


def test_a_command_from_its_hello_to_its_end(recorder: Recorder, client: Clients) -> None:
    shim = client()

    assert shim.hello("make") == RECORD
    shim.send(wire.STDOUT, b"made\n")
    shim.ended(code="0")
    shim.drained()

    script, end = recorder.ends.get(timeout=30)
    assert (script, end.exit_code, end.outputs["stdout"].value) == ("make", 0, "made\n")
    assert shim.answer() == []  # the recorder has hung up


def test_a_long_hello(recorder: Recorder, client: Clients) -> None:
    shim = client()
    script = "echo " + "x" * 200_000

    assert shim.hello(script) == RECORD
    shim.ended()
    shim.drained()

    assert recorder.ends.get(timeout=30)[0] == script


def test_what_has_come_is_put_on_record_while_the_command_runs(
    recorder: Recorder, client: Clients
) -> None:
    shim = client()
    shim.hello("make")
    shim.send(wire.STDOUT, b"so far")

    _, so_far = recorder.looks.get(timeout=30)
    assert (so_far.ended, so_far.outputs["stdout"].value) == (0, "so far")
    shim.send(wire.STDOUT, b" and on")
    assert recorder.looks.get(timeout=30)[1].outputs["stdout"].value == "so far and on"


def test_the_shell_goes_on_however_long_the_session_takes(
    recorder: Recorder, client: Clients
) -> None:
    recorder.busy.clear()
    shim = client()

    assert shim.hello("make") == RECORD
    shim.ended()
    shim.drained()
    recorder.busy.set()
    assert recorder.ends.get(timeout=30)[0] == "make"


def test_others_do_not_wait_for_one_who_never_stops(recorder: Recorder, client: Clients) -> None:
    flood, stop = client(), threading.Event()
    flood.hello("yes")

    def pour() -> None:
        while not stop.is_set():
            flood.send(wire.STDOUT, b"y\n" * 30_000)
        flood.ended()
        flood.drained()

    pouring = threading.Thread(target=pour)
    pouring.start()
    try:
        for number in range(5):
            shim = client()
            assert shim.hello(str(number)) == RECORD
            shim.ended()
            shim.drained()
            assert recorder.ends.get(timeout=30)[0] == str(number)
    finally:
        stop.set()
        pouring.join()
    _, end = recorder.ends.get(timeout=60)
    assert end.outputs["stdout"].size % 60_000 == 0


@pytest.mark.parametrize(
    "packet",
    [b"\0", b"GET / HTTP/1.1\r\n\r\n", bytes(100_000), wire.encode(b"H", 1, b"no fields")],
)
def test_nonsense_ends_the_connection_and_nothing_else(
    recorder: Recorder, client: Clients, packet: bytes
) -> None:
    stranger, shim = client(), client()
    stranger.socket.send(packet)

    assert stranger.answer() == []
    assert shim.hello("make") == RECORD
    shim.ended()
    shim.drained()
    assert recorder.ends.get(timeout=30)[0] == "make"


def test_a_wrong_token_is_refused(recorder: Recorder, client: Clients) -> None:
    assert client().hello("make", token="guessed") == []
    assert client().hello("make") == RECORD
    assert recorder.ends.empty()


def test_nonsense_in_the_middle_ends_the_command(recorder: Recorder, client: Clients) -> None:
    shim = client()
    shim.hello("make")
    shim.send(wire.STDOUT, b"so far")
    shim.socket.send(b"!")

    _, end = recorder.ends.get(timeout=30)
    assert (end.state, end.exit_code) == ("cut", None)
    assert end.fault.startswith("how it ended is not known: the recorder could not read")


def test_a_shim_that_dies_in_the_middle(recorder: Recorder, client: Clients) -> None:
    shim = client()
    shim.hello("make")
    shim.close()

    assert recorder.ends.get(timeout=30)[1].state == "cut"


def test_who_says_nothing_is_let_go(
    recorder: Recorder, client: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "SILENCE", 0.1)
    silent = [client() for _ in range(20)]  # more than there may be at once

    assert [shim.answer() for shim in silent] == [[]] * 20
    assert client().hello("make") == RECORD
    assert recorder.ends.empty()


def test_more_than_there_may_be_at_once(recorder: Recorder, client: Clients) -> None:
    shims = [client() for _ in range(100)]
    for number, shim in enumerate(shims):
        assert shim.hello(str(number)) == RECORD
        shim.ended()
        shim.drained()

    ends = [recorder.ends.get(timeout=30)[0] for _ in shims]
    assert sorted(ends, key=int) == [str(number) for number in range(100)]


def test_no_descriptors_left(recorder: Recorder) -> None:
    shims = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(30)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        for shim in shims:
            stack.enter_context(shim)
        listener = Listener(recorder.path, TOKEN, {"shell": recorder.context.take}, most=100)
        stack.enter_context(listener)
        for shim in shims:
            shim.connect(str(recorder.path))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        free = os.open(os.devnull, os.O_RDONLY)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))
        clients = [ShimClient.over(shim) for shim in shims]
        for number, client in enumerate(clients):
            assert client.hello(str(number)) == RECORD
            client.ended()
            client.drained()
            client.close()

    ends = [recorder.ends.get(timeout=30)[0] for _ in shims]
    assert sorted(ends, key=int) == [str(number) for number in range(30)]


def test_another_user_is_not_let_in(recorder: Recorder, listener: Listener) -> None:
    del listener
    recorder.path.chmod(0o777)
    recorder.path.parent.chmod(0o755)
    other = os.geteuid() == 0
    program = (
        f"import os, socket\nos.setuid({NOBODY if other else os.geteuid()})\n"
        "with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as it:\n"
        "    it.settimeout(2)\n"
        "    it.connect('socket')\n"
        "    print(len(it.recv(9)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=recorder.path.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ("0\n" if other else "")  # hung up on; one's own would wait
    assert other or "TimeoutError" in done.stderr


def test_the_recording_ends_while_commands_run(recorder: Recorder) -> None:
    with Listener(recorder.path, TOKEN, {"shell": recorder.context.take}) as listener:
        running, done, silent = (ShimClient(recorder.path) for _ in range(3))
        running.hello("sleep")
        done.hello("true")
        done.send(wire.STDOUT, b"out")
        done.ended()
        done.drained()
        listener.close()

    ends = dict(recorder.ends.get(timeout=30) for _ in range(2))
    assert ends["sleep"].state == "running"
    assert (ends["true"].state, ends["true"].outputs["stdout"].value) == ("ended", "out")
    assert not recorder.path.exists()
    for shim in (running, done, silent):
        shim.close()


def test_a_command_has_more_to_say_when_the_recording_ends_than_a_socket_holds(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "QUIET", 30.0)
    with Listener(recorder.path, TOKEN, {"shell": recorder.context.take}) as listener:
        shim = ShimClient(recorder.path)
        shim.hello("seq")
        closing = threading.Thread(target=listener.close, args=(60.0,))
        closing.start()
        for _ in range(20):
            shim.send(wire.STDOUT, bytes(60_000))
        shim.ended()
        shim.drained()
        closing.join()

    _, end = recorder.ends.get(timeout=30)
    assert (end.state, end.outputs["stdout"].size) == ("ended", 1_200_000)
    shim.close()


def test_a_listener_that_never_began(recorder: Recorder) -> None:
    listener = Listener(recorder.path, TOKEN, {})
    listener.close()
    listener.close()

    assert not recorder.path.exists()


def test_a_place_where_no_socket_can_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Listener(tmp_path / "nowhere" / "socket", TOKEN, {})


def test_whoever_takes_connections_may_fail(
    recorder: Recorder, listener: Listener, client: Clients
) -> None:
    def fail(_hello: Hello, _answer: Answer) -> None:
        raise RuntimeError("a fault")

    listener.register("mcp", fail)

    assert client().hello("server", kind="mcp") == []
    assert client().hello("make") == RECORD
    assert recorder.ends.empty()
