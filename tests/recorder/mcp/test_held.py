from __future__ import annotations

import stat
from pathlib import Path

from traceproof.recorder.mcp.held import HeldFiles


def test_a_file_is_read_by_its_path_and_is_on_no_disk() -> None:
    held = HeldFiles()
    first, second = held.hold(b"one" * 100_000), held.hold(b"two")

    assert Path(first).read_bytes() == b"one" * 100_000
    assert Path(second).read_bytes() == b"two"
    assert "memfd" in str(Path(first).readlink())
    assert stat.S_IMODE(Path(first).stat().st_mode) == 0o600

    held.close()
    assert not Path(first).exists()
