"""What is of local boxes alone; what every box promises is in `tests/sandbox/test_contract.py`."""

from __future__ import annotations

import time

import pytest

from support import processes
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image, Setting


def test_a_box_whose_command_was_given_up_is_no_more(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    def refuse(name: str, data: bytes) -> None:
        raise ZeroDivisionError(name, data)

    began = time.monotonic()
    with sandbox.start(local_image, Setting()) as box:
        with pytest.raises(ZeroDivisionError):
            box.run(["sh", "-c", "echo; sleep 3611"], seconds=60, on_output=refuse)
        assert processes.with_text("sleep 3611") == []
        with pytest.raises(SandboxError, match="given up"):
            box.run(["true"], seconds=60)
    assert time.monotonic() - began < 60


def test_a_listener_may_destroy_the_box(sandbox: LocalSandbox, local_image: Image) -> None:
    with sandbox.start(local_image, Setting()) as box:
        result = box.run(
            ["sh", "-c", "echo; sleep 60"],
            seconds=60,
            on_output=lambda name, data: box.destroy(),  # noqa: ARG005 - as it is called
        )

        assert (result.exit_code, result.destroyed) == (None, "it was destroyed")
