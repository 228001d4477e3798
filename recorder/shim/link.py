"""The talk with the recorder before a command starts: hello, and what it answers."""

from __future__ import annotations

import os
import select
import time

from traceproof.recorder.shim import sockets, wire
from traceproof.recorder.shim.descriptors import Descriptor

PATIENCE = 0.3
"""Seconds the recorder has to answer: the command waits for it."""

TOLD = (
    "TRACEPARENT",
    "CODEX_TOOL_CALL_ID",
    "CODEX_THREAD_ID",
    "CODEX_SESSION_ID",
    "CLAUDE_CODE_SESSION_ID",
    "OPENCODE_PID",
    "GEMINI_CLI",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PATH",
)
"""The environment variables that a hello carries."""


class Go:
    """What the recorder answered.

    Attributes:
        recorded: Whether this command is to be recorded; else the shell runs in our place.
        launch: Whether the shell starts the agent, which is yet to find our launchers.
        edits: Environment variables to set, or to unset: those with no value.
    """

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        verdict = dict(fields).get(b"verdict", b"record")
        self.launch = verdict == b"launch"
        self.recorded = not self.launch and verdict != b"pass"
        self.edits: dict[bytes, bytes | None] = {}
        for name, value in fields:
            verb, _, variable = name.partition(b".")
            if verb == b"set" and variable:
                self.edits[variable] = value
            elif verb == b"unset" and variable:
                self.edits[variable] = None


def hello(
    settings: dict[str, str],
    arguments: list[bytes],
    environment: list[bytes],
    streams: list[Descriptor],
    extra: list[tuple[bytes, bytes]],
) -> bytes:
    """Return the fields of a hello."""
    fields = [
        (b"kind", b"shell"),
        (b"token", settings["token"].encode()),
        (b"hook", settings["hook"].encode()),
        (b"real", os.fsencode(settings["real"])),
        *((b"arg", argument) for argument in arguments),
        (b"cwd", os.readlink(b"/proc/self/cwd")),
        (b"sid", b"%d" % os.getsid(0)),
        (b"pgid", b"%d" % os.getpgid(0)),
        *((b"fd%d" % stream.number, stream.kind.encode()) for stream in streams),
        *extra,
    ]
    told = [name.encode() for name in TOLD]
    for entry in environment:
        name, _, value = entry.partition(b"=")
        if name in told:
            fields.append((b"env." + name, value))
    return wire.encode_fields(fields)


def say_hello(link: sockets.Socket, payload: bytes, when: int) -> None:
    """Send a hello.

    Raises:
        OSError: the recorder does not take it.
    """
    for packet in wire.pieces(payload, wire.HELLO, wire.HELLO_PIECE, when):
        sockets.send_all(link, packet, [])
    link.setblocking(False)


def wait_for_go(link: sockets.Socket, until: float) -> Go:
    """Return what the recorder answers; if it has no answer in time, that the command is recorded.

    Args:
        link: The connection to it.
        until: The deadline, on the monotonic clock.

    Raises:
        OSError: the recorder is gone.
        ValueError: it does not speak this protocol.
    """
    poll = select.poll()
    poll.register(link, select.POLLIN)
    if not poll.poll(max(0, until - time.monotonic()) * 1000):
        return Go([])
    packet = link.recv(wire.MAX_PACKET)
    if not packet:
        raise OSError("the recorder closed the connection")
    kind, _, payload = wire.decode(packet)
    if kind != wire.GO:
        raise ValueError("not an answer to a hello")
    return Go(wire.decode_fields(payload))
