from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from traceproof.recorder.shim import machinecode


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_code_was_made_from_the_assembly_beside_it(machine: str) -> None:
    source = Path(machinecode.__file__).with_name(f"{machine}.s").read_bytes()

    assert machinecode.SOURCES[machine] == hashlib.sha256(source).hexdigest(), (
        "run scripts/assemble.py"
    )
    assert len(machinecode.CODE[machine]) % 8 == 0
