from __future__ import annotations

from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shim import wire
from traceproof.recorder.testruns.peer import Desk
from traceproof.recorder.testruns.plan import plan


def hello(command: str) -> Hello:
    return Hello(1, [(b"kind", b"tests"), (b"command", command.encode())])


def test_the_plugin_is_led_to_its_command() -> None:
    desk, answers = Desk(), []
    name = desk.name()
    found = plan(CommandStart("SHELL", "/bin/sh", ("sh", "-c", "pytest"), "/", 1, 1))
    assert found is not None
    desk.open(name, found)

    plugin = desk.take(hello(name), lambda *_: answers.append(1))
    assert plugin is not None
    plugin.look()
    going_on = plugin.packets([Packet(wire.TEST, 5, b'{"event":"session"}'), Packet(b"O", 6, b"?")])
    plugin.hung_up("gone")
    plugin.close()

    assert (going_on, answers) == (False, [1])
    assert [run.started for run in found.told.runs()] == [5]


def test_nobody_waits_for_a_command_that_ended() -> None:
    desk = Desk()
    name = desk.name()

    desk.close(name)

    assert desk.take(hello(name), lambda *_: None) is None
    assert desk.name() != name
