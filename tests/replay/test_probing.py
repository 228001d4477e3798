from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from traceproof.replay.options import AXES, Options
from traceproof.replay.probing import can_be_had, left_out, only_known, probe
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Result

OPTIONS = Options(timezones=("Etc/UTC", "Nowhere/Such"), locales=("C", "C.UTF-8", "xx_XX.UTF-8"))


class Here:
    """A box that is this machine, as far as looking at it goes."""

    def run(self, argv: Sequence[str], **_: Any) -> Result:
        script = argv[2].replace("/usr/share/zoneinfo", "/nowhere/zoneinfo")
        ended = subprocess.run(["sh", "-c", script, *argv[3:]], capture_output=True, check=False)
        return Result(exit_code=ended.returncode, stdout=ended.stdout)


def test_what_is_there_is_found() -> None:
    known = probe(Here(), OPTIONS, "sh")  # type: ignore[arg-type]

    assert known.program
    assert known.timezones == ()
    assert known.locales == ("C", "C.UTF-8")
    assert only_known(OPTIONS, known).locales == ("C", "C.UTF-8")


def test_a_program_that_is_not_there() -> None:
    assert not probe(Here(), OPTIONS, "nosuch-program").program  # type: ignore[arg-type]


def test_a_folder_that_is_not_there() -> None:
    known = probe(Here(), OPTIONS, "sh", cwd="/no/such folder")  # type: ignore[arg-type]

    assert (known.program, known.folder) == (True, False)


def test_a_box_in_which_nothing_runs_is_not_one_without_the_program() -> None:
    class Dead(Here):
        def run(self, argv: Sequence[str], **_: Any) -> Result:  # noqa: ARG002 - as it is called
            return Result(exit_code=2, stderr=b"sh: cannot fork\n")

    with pytest.raises(SandboxError, match=r"nothing can be run in a box; .* sh: cannot fork"):
        probe(Dead(), OPTIONS, "sh")  # type: ignore[arg-type]


def test_an_axis_that_nothing_holds_is_left_out() -> None:
    class Free(LocalSandbox):
        def shortfalls(self, _setting: object) -> Mapping[str, str]:
            return {"network": "cannot be taken away", "memory": "is looked at once a second"}

    assert can_be_had(AXES, Free()) == tuple(axis for axis in AXES if axis != "network")
    assert "slow_cpu" not in can_be_had(AXES, LocalSandbox())


def test_an_axis_that_was_asked_for_by_name_and_cannot_be_had_is_told() -> None:
    told = list(left_out(("order", "slow_cpu"), LocalSandbox()))

    assert told == ["the axis slow_cpu is left out: processes are not held to a share of the CPUs"]
    assert list(left_out(AXES, LocalSandbox())) == []
