"""A command from its hello to its end, as its shim's packets and the clock make it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from support.shimclient import hello_fields
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell.command import CommandEnd, CommandStart, Output
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.peers import LAUNCH, PASS, RECORD, Fields
from traceproof.recorder.shell.running import Running, ShellContext
from traceproof.recorder.shim import wire
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

Told = tuple[str, object]


class Session:
    """Takes commands in, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.ends: list[CommandEnd] = []

    def command_started(self, start: CommandStart) -> str:
        self.told.append(("started", start.script))
        return start.script

    def command_going(self, opened: str, so_far: CommandEnd) -> None:
        self.told.append(("going", opened))
        self.ends.append(so_far)

    def command_ended(self, opened: str, end: CommandEnd) -> None:
        self.told.append(("ended", opened))
        self.ends.append(end)

    def within_command(self, opened: str, spans: Iterable[Span]) -> None:
        self.told.append(("within", (opened, [span.name for span in spans])))


class Watched:
    """Wants to know all of a command."""

    def __init__(self) -> None:
        self.fields: Fields = (*RECORD, (b"set.A", b"b"))
        self.told: list[object] = []

    def take(self, stream: str, data: bytes) -> None:
        self.told.append((stream, data))

    def results(self, end: CommandEnd) -> list[Span]:
        self.told.append(end.exit_code)
        return [Span("a" * 32, "c" * 16, "test pytest")]

    def close(self) -> None:
        self.told.append("closed")


class Stage:
    """A recording: its thread is the test's own, and does what waits when it is told to."""

    def __init__(self, path: Path) -> None:
        self.session = Session()
        self.answers: list[Fields] = []
        self.redactor = Redactor()
        self.redactor.add("KEY", "sk-fake-0123456789")
        self.writer = TraceWriter(path, resource={}, mask=self.redactor.mask)
        self.writer.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
        self.waiting: list[Callable[[], None]] = []
        self.paused = False
        self.context = ShellContext(
            post=self.post,
            commands=self.session,
            writer=self.writer,
            redactor=self.redactor,
            admits=lambda start: start.script != "codex",
            consents=lambda _start, _end: not self.paused,
        )

    def post(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        del at_once
        self.waiting.append(action)

    def go_on(self) -> None:
        """Let the recorder's thread do what waits."""
        waiting, self.waiting = self.waiting, []
        for action in waiting:
            action()

    def shell(self, script: str = "make", **more: str) -> Running[str] | None:
        return self.context.take(Hello(time.time_ns(), hello_fields(script, **more)), self.answer)

    def running(self, script: str = "make", **more: str) -> Running[str]:
        made = self.shell(script, **more)
        assert made is not None
        self.go_on()
        return made

    def answer(self, fields: Fields = RECORD) -> None:
        self.answers.append(fields)

    @property
    def end(self) -> CommandEnd:
        self.go_on()
        return self.session.ends[-1]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "trace.zst")
    yield made
    made.writer.close()


def said(kind: bytes, payload: bytes = b"") -> Packet:
    return Packet(kind, time.time_ns(), payload)


def ended(**fields: str) -> Packet:
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    return said(wire.ENDED, wire.encode_fields(pairs))


def drained(outlived: bytes = b"0", lost: bytes = b"0") -> Packet:
    fields = [(b"outlived", outlived), (b"lost", lost)]
    return said(wire.DRAINED, wire.encode_fields(fields))


def test_a_command_from_start_to_end(stage: Stage) -> None:
    command = stage.running("make")

    assert stage.answers == [RECORD]
    assert not command.packets([said(wire.STDOUT, b"out"), said(wire.STDERR, b"err")])
    assert not command.packets([ended(code="2", utime_us="3000", stime_us="1", maxrss_kb="5")])
    assert command.packets([drained()])
    end = stage.end
    assert stage.session.told == [("started", "make"), ("ended", "make")]
    assert (end.state, end.exit_code, end.signal) == ("ended", 2, "")
    assert (end.user_seconds, end.system_seconds, end.max_rss_bytes) == (0.003, 0.000001, 5120)
    assert {name: output.value for name, output in end.outputs.items()} == {
        "stdout": "out",
        "stderr": "err",
    }
    assert (end.outlived, end.lost, end.fault) == (False, 0, "")


def test_the_shell_waits_until_the_session_knows_of_it(stage: Stage) -> None:
    stage.shell()

    assert stage.answers == []
    stage.go_on()
    assert stage.answers == [RECORD]


def test_the_shell_goes_on_where_the_session_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: CommandStart) -> str:
        raise RuntimeError("the session fails")

    monkeypatch.setattr(stage.session, "command_started", fail)
    command = stage.shell()
    assert command is not None
    with pytest.raises(RuntimeError):
        stage.go_on()

    assert stage.answers == [RECORD]
    stage.waiting.clear()
    command.packets([ended(code="0"), drained()])
    stage.go_on()
    assert stage.session.told == []


@pytest.mark.parametrize("paused", [True, False])
def test_what_is_not_to_be_recorded_passes(stage: Stage, paused: bool) -> None:
    stage.paused = paused

    assert stage.shell("make" if paused else "codex") is None
    assert stage.answers == [PASS if paused else LAUNCH]
    stage.go_on()
    assert stage.session.told == []


def test_streams_that_said_nothing_are_told_from_those_that_were_not_read(stage: Stage) -> None:
    command = stage.running(fd1="pipe", fd2="null")

    command.packets([ended(code="0"), drained()])

    assert stage.end.outputs == {"stdout": Output()}


def test_one_stream_where_both_are_one_file(stage: Stage) -> None:
    command = stage.running(merged="1")

    command.packets([said(wire.MERGED, b"both"), ended(code="0"), drained()])

    assert {name: output.value for name, output in stage.end.outputs.items()} == {"output": "both"}


def test_a_look_puts_on_record_what_has_come_and_only_then(stage: Stage) -> None:
    command = stage.running()
    command.look()
    stage.go_on()
    assert stage.session.told == [("started", "make")]

    command.packets([said(wire.STDOUT, b"so far")])
    command.look()
    command.look()

    assert (stage.end.outputs["stdout"].value, stage.end.ended) == ("so far", 0)
    assert stage.session.told == [("started", "make"), ("going", "make")]


def test_looks_do_not_pile_up_where_the_session_is_busy(stage: Stage) -> None:
    command = stage.running()
    for number in range(5):
        command.packets([said(wire.STDOUT, b"%d" % number)])
        command.look()

    assert len(stage.waiting) == 1
    stage.go_on()
    command.look()
    assert stage.end.outputs["stdout"].value == "01234"


def test_a_background_process_writes_on_after_the_shell_has_ended(stage: Stage) -> None:
    command = stage.running()
    command.packets([ended(code="0")])
    command.look()
    early = stage.end
    command.packets([said(wire.STDOUT, b"late"), drained(outlived=b"1", lost=b"7")])
    end = stage.end

    assert (early.ended > 0, early.exit_code, early.outputs["stdout"].value) == (True, 0, "")
    assert (end.outputs["stdout"].value, end.outlived, end.lost) == ("late", True, 7)
    assert end.ended == early.ended


def test_a_shim_that_dies_leaves_what_is_known(stage: Stage) -> None:
    command = stage.running()
    command.packets([said(wire.STDOUT, b"so far")])
    command.hung_up("the shim has gone")
    end = stage.end

    assert (end.state, end.exit_code, end.ended > 0) == ("cut", None, True)
    assert end.fault == "how it ended is not known: the shim has gone"
    assert end.outputs["stdout"].value == "so far"


def test_a_shim_that_says_why_is_taken_at_its_word(stage: Stage) -> None:
    command = stage.running()
    command.packets([said(wire.FAULT, b"its parent was killed"), drained()])
    command.hung_up("the shim has gone")

    assert (stage.end.state, stage.end.fault) == ("cut", "its parent was killed")


def test_a_relay_that_dies_leaves_the_exit_code(stage: Stage) -> None:
    command = stage.running()
    command.packets([ended(signal="15")])
    command.hung_up("the shim has gone")
    end = stage.end

    assert (end.state, end.signal, end.exit_code) == ("ended", "SIGTERM", None)
    assert end.fault == "its output may not be whole: the shim has gone"


def test_the_recording_ends_while_it_runs(stage: Stage) -> None:
    command = stage.running()
    command.packets([said(wire.STDOUT, b"so far")])
    command.close()
    end = stage.end

    assert (end.state, end.exit_code, end.fault) == ("running", None, "")
    assert end.outputs["stdout"].value == "so far"


def test_the_recording_ends_while_its_output_is_held(stage: Stage) -> None:
    command = stage.running()
    command.packets([ended(code="0")])
    command.close()

    assert (stage.end.state, stage.end.exit_code, stage.end.outlived) == ("ended", 0, True)


def test_what_came_after_a_pause_began_is_not_kept(stage: Stage) -> None:
    command = stage.running()
    command.packets([said(wire.STDOUT, b"before " * 500)])
    command.look()
    stage.go_on()
    stage.paused = True
    command.packets([said(wire.STDOUT, b"meanwhile")])
    stage.paused = False
    command.packets([said(wire.STDOUT, b"afterwards")])
    command.look()
    command.packets([ended(code="0"), drained()])
    end = stage.end

    assert (end.state, end.outputs, end.exit_code) == ("unrecorded", {}, None)
    assert end.fault == "recording was paused while it ran"
    stage.writer.close()
    with TraceReader.open(stage.writer.path) as reader:
        kept = b"".join(reader.blob(name) for name in stage.writer._stored)
    assert b"before" in kept
    assert b"meanwhile" not in kept
    assert b"afterwards" not in kept


def test_secrets_are_masked(stage: Stage) -> None:
    command = stage.running()
    command.packets([said(wire.STDOUT, b"key=sk-fake-01234")])
    command.look()
    assert stage.end.outputs["stdout"].value == "key="
    command.packets([said(wire.STDOUT, b"56789\n"), ended(code="0"), drained()])

    assert stage.end.outputs["stdout"].value == "key=<SECRET:KEY>\n"


def test_the_shim_s_faults_are_kept_as_far_as_is_sensible(stage: Stage) -> None:
    command = stage.running()
    for text in (b"no pty\xff", b"no pty\xff", b"x" * 60_000, b"more"):
        command.packets([said(wire.FAULT, text)])
    command.packets([ended(), drained()])

    assert stage.end.fault == "; ".join(["no pty\\xff", "x" * 1000])


def test_what_a_packet_says_of_its_time_is_not_believed(stage: Stage) -> None:
    command = stage.running()
    command.packets([Packet(wire.STDOUT, 5, b"a"), Packet(wire.STDOUT, 2**64 - 1, b"b")])
    command.packets([Packet(wire.ENDED, 0, b"code\x000\x00"), drained()])
    end = stage.end

    assert end.outputs["stdout"].chunks.startswith("[0,1,")
    assert 0 <= end.ended <= time.time_ns()


def test_unknown_packets_mean_nothing(stage: Stage) -> None:
    command = stage.running()

    assert not command.packets([said(b"?", b"x"), said(wire.TEST, b"{}")])
    assert command.packets([ended(code="0"), drained()])
    assert stage.end.fault == ""


def test_bytes_that_the_disk_did_not_take_are_said(stage: Stage) -> None:
    command = stage.running()
    stage.writer.close()
    command.packets([said(wire.STDOUT, bytes(60_000))] * 2)
    command.packets([ended(code="0"), drained()])

    assert (stage.end.lost, stage.context.lost) == (120_000, 120_000)
    assert stage.end.fault == "some of its output was dropped: too much waited for the disk"


@pytest.fixture
def watched(stage: Stage) -> Watched:
    """Have the commands watched from now on."""
    made = Watched()
    stage.context.watch = lambda _: made
    return made


def test_whoever_wants_more_of_a_command_gets_what_it_wrote_masked(
    stage: Stage, watched: Watched
) -> None:
    command = stage.running("pytest")
    command.packets([said(wire.STDOUT, b"key=sk-fake-01234"), said(wire.STDERR, b"err")])
    command.packets([said(wire.STDOUT, b"56789"), ended(code="1"), drained()])
    stage.go_on()

    assert stage.answers == [watched.fields]
    assert watched.told == [("stdout", b"key=<SECRET:KEY>"), ("stderr", b"err"), 1]
    assert stage.session.told[1:] == [("ended", "pytest"), ("within", ("pytest", ["test pytest"]))]


def test_nobody_is_told_of_what_is_not_kept(stage: Stage, watched: Watched) -> None:
    command = stage.running("pytest")
    stage.paused = True
    command.packets([said(wire.STDOUT, b"1 passed"), ended(code="0"), drained()])
    stage.go_on()

    assert watched.told == ["closed"]


def test_a_fault_in_looking_costs_nothing_but_that(stage: Stage) -> None:
    def fail(_: CommandStart) -> None:
        raise RuntimeError("a fault")

    stage.context.watch = fail
    command = stage.running("pytest")
    command.packets([ended(code="0"), drained()])

    assert stage.answers == [RECORD]
    assert stage.end.exit_code == 0
