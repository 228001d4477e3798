"""What this machine allows a local box: namespaces, and users of its own. Asked once, by trying."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

Spaces: TypeAlias = Literal["mount", "user", ""]
_TRY = (
    "import sys\n"
    "from traceproof.sandbox.local.keeper import spaces\n"
    "from traceproof.sandbox.local.keeper.plan import Plan\n"
    "spaces.enter(Plan(sys.argv[1], sys.argv[2], sys.argv[2], '', sys.argv[2] + '/workspace',\n"
    "    (), (), False, None, -1, 1 << 20, 1 << 20, 1, 1, 1))\n"
)
_SECONDS = 30
_UNUSED = (1879048192, 2147352576)
"""User ids that nobody gives out (systemd.io/UIDS-GIDS)."""
_SMALL = (61184 - 20000, 61184)
"""Likewise, nearly, where a container maps 65,536 alone."""


@cache
def refusal(spaces: Spaces) -> str:
    """Return why a box cannot have namespaces of its own here, "" where it can."""
    if not sys.platform.startswith("linux"):
        return "namespaces are of Linux"
    with TemporaryDirectory(prefix="traceproof-") as folder:
        for name in ("home", "private", "workspace"):
            Path(folder, name).mkdir()
        done = subprocess.run(
            [sys.executable, "-P", "-c", _TRY, spaces, folder],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2] or "it failed"


def best() -> Spaces:
    """Return the namespaces that boxes get here."""
    kind: Spaces = "mount" if os.geteuid() == 0 else "user"
    return "" if refusal(kind) else kind


def private_user() -> int:
    """Return a user id that nobody else has, -1 where this user cannot become another."""
    if os.geteuid() != 0:
        return -1
    mapped = [tuple(map(int, line.split())) for line in _map().splitlines()]
    for low, high in (_UNUSED, _SMALL):
        if any(first <= low and high <= first + count for first, _, count in mapped):
            return low + secrets.randbelow(high - low)
    return -1


def is_private(user: int) -> bool:
    """Say whether a user id is one that `private_user` gives."""
    return any(low <= user < high for low, high in (_UNUSED, _SMALL)) and user != os.geteuid()


def _map() -> str:
    return Path("/proc/self/uid_map").read_text()
