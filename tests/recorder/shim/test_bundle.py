from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from traceproof.recorder.shim import bundle

PACKAGE = "traceproof.recorder.shim"
LIGHT = {
    "__future__",
    "_signal",
    "_socket",
    "fcntl",
    "os",
    "resource",
    "select",
    "signal",
    "stat",
    "sys",
    "termios",
    "time",
}
"""What a shell may have to wait for; `signal` only for type checkers, see `signals`."""


def imports(name: str) -> set[str]:
    """Return the modules that a module of the program imports; ours by their own names."""
    tree = ast.parse(Path(bundle.__file__).with_name(f"{name}.py").read_text())
    found: set[str] = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            found.update(alias.name for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module == PACKAGE:
            found.update(f"{PACKAGE}.{alias.name}" for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            found.add(part.module or "")
    return found


def test_each_module_needs_only_light_ones_and_those_before_it() -> None:
    known = set(LIGHT)
    for name in bundle.MODULES:
        assert imports(name) - known == set(), name
        known.add(f"{PACKAGE}.{name}")


def test_it_starts_without_the_package(tmp_path: Path) -> None:
    program = tmp_path / "program.pyc"
    program.write_bytes(bundle.compiled({"machine": "x86_64"}, {}))

    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    said = ended.stderr.splitlines()
    assert ended.returncode == 1, "without the launcher's word it leaves the shell to the launcher"
    assert [line for line in said if not line.startswith("import time:")] == []
    assert "traceproof" not in ended.stderr
