from __future__ import annotations

import os
import struct

from traceproof.recorder.shim import script
from traceproof.recorder.shim.plan import Plan

DUP3, PRCTL, EXECVE, SIGPROCMASK, SETNS = 292, 157, 59, 14, 308


class Filled:
    """A script as the child sees it once it lies at `base` and its places are filled in."""

    base = 0x1000

    def __init__(self, encoded: bytes) -> None:
        size, places, calls = struct.unpack_from("<3Q", encoded)
        self.memory = bytearray(encoded[24:])
        assert len(self.memory) == size
        self.table = [self.base, 11, 12, 13, 99, 100, 101, 102]
        for place in range(places):
            where, source = struct.unpack_from("<2I", self.memory, place * 8)
            (word,) = struct.unpack_from("<Q", self.memory, where)
            struct.pack_into("<Q", self.memory, where, word + self.table[source])
        self.calls = [
            struct.unpack_from("<8Q", self.memory, places * 8 + call * 64) for call in range(calls)
        ]

    def text(self, address: int) -> bytes:
        start = address - self.base
        return bytes(self.memory[start : self.memory.index(0, start)])

    def vector(self, address: int) -> list[bytes]:
        found = []
        while word := struct.unpack_from("<Q", self.memory, address - self.base)[0]:
            found.append(self.text(word))
            address += 8
        return found


def test_a_plan_that_changes_nothing() -> None:
    encoded, sent = script.encode(Plan(b"/bin/sh", 50_001), "x86_64")

    filled = Filled(encoded)
    assert sent == []
    assert [call[0] for call in filled.calls] == [PRCTL, SIGPROCMASK, EXECVE]
    assert filled.calls[1][1:5] == (2, 13, 0, 8)
    path, arguments, environment = filled.calls[2][1:4]
    assert (filled.text(path), arguments, environment) == (b"/bin/sh", 11, 12)


def test_vectors_and_descriptors() -> None:
    plan = Plan(b"/bin/sh", 50_001)
    plan.arguments = [b"sh", b"", b"-c"]
    plan.environment = []
    plan.descriptors = [(7, 1), (7, 2)]
    plan.namespace = 9
    plan.here = 10

    encoded, sent = script.encode(plan, "x86_64")

    filled = Filled(encoded)
    assert sent == [7, 9, 10]
    assert [call[:4] for call in filled.calls[:2]] == [(DUP3, 100, 1, 0), (DUP3, 100, 2, 0)]
    assert filled.calls[2][:2] == (SETNS, 101)
    assert filled.calls[2][7] == 1, "it may fail"
    _, path, arguments, environment = filled.calls[-1][:4]
    assert filled.text(path) == b"/bin/sh"
    assert filled.vector(arguments) == [b"sh", b"", b"-c"]
    assert filled.vector(environment) == []


def test_data_lies_at_a_multiple_of_a_word_and_the_socket_is_known() -> None:
    made = script.Script("x86_64")
    made.text(b"odd")
    place = made.data(b"8 bytes.")
    made.call("write", (script.SOCKET, 0), place, 8, may_fail=True)

    _, socket, address, size, *_, flags = Filled(made.encode()).calls[0]

    assert (socket, address % 8, size, flags) == (99, 0, 8, 1)


def test_there_is_one_for_this_machine_and_for_others() -> None:
    for machine in {os.uname().machine, "x86_64", "aarch64"}:
        assert script.encode(Plan(b"/bin/sh", 1), machine)
