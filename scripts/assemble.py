#!/usr/bin/env python3
"""Assemble the launchers' machine code into recorder/shim/machinecode.py: run it by hand.

Needs binutils for both machines (Debian: binutils, binutils-aarch64-linux-gnu).
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

SHIM = Path(__file__).resolve().parent.parent / "recorder" / "shim"
PREFIXES = {"x86_64": "x86_64-linux-gnu-", "aarch64": "aarch64-linux-gnu-"}
HEAD = '''"""The launchers' machine code: `x86_64.s`, `aarch64.s`, by `scripts/assemble.py`.

`SOURCES` are the hashes of the assembly that the code was made from; a test compares them.
"""

from __future__ import annotations

'''


def main() -> None:
    """Write the module."""
    text = HEAD + "SOURCES = {\n"
    for machine in PREFIXES:
        digest = hashlib.sha256((SHIM / f"{machine}.s").read_bytes()).hexdigest()
        text += f'    "{machine}": "{digest}",\n'
    text += "}\n\nCODE = {\n"
    for machine, prefix in PREFIXES.items():
        code = assemble(SHIM / f"{machine}.s", prefix).hex()
        text += f'    "{machine}": bytes.fromhex(\n'
        text += "".join(f'        "{code[at : at + 88]}"\n' for at in range(0, len(code), 88))
        text += "    ),\n"
    (SHIM / "machinecode.py").write_text(text + "}\n")


def assemble(source: Path, prefix: str) -> bytes:
    """Return the machine code of a source file."""
    with tempfile.TemporaryDirectory() as folder:
        made, code = Path(folder, "made.o"), Path(folder, "made.bin")
        subprocess.run([f"{prefix}as", source, "-o", made], check=True)
        subprocess.run([f"{prefix}objcopy", "-O", "binary", "-j", ".text", made, code], check=True)
        return code.read_bytes()


if __name__ == "__main__":
    main()
