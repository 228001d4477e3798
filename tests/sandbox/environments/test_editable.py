from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from traceproof.sandbox.environments.editable import VARIABLE, follow

FINDER = """
MAPPING: dict[str, str] = {{'mine': '{at}/src/mine', 'all': '{at}'}}
OTHER = '{at}-beside/x'
"""


def run(venv: Path, code: str, workspace: str = "") -> str:
    variables = {VARIABLE: workspace} if workspace else {}
    packages = next(venv.glob("lib/python*/site-packages"))
    program = f"import site; site.addsitedir({str(packages)!r}); {code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_what_names_the_tree_follows_the_variable(tmp_path: Path) -> None:
    packages = tmp_path / "venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    for tree in ("built", "elsewhere"):
        (tmp_path / tree / "src").mkdir(parents=True)
        (tmp_path / tree / "src" / "there.py").write_text(f"NAME = {tree!r}\n")
    built, elsewhere = str(tmp_path / "built"), str(tmp_path / "elsewhere")
    (packages / "__editable___mine_1_finder.py").write_text(FINDER.format(at=built))
    (packages / "__editable__.mine.pth").write_text(f"{built}/src\n")
    (packages / "other.pth").write_text("import sys; sys.other = 1\n")

    follow(tmp_path / "venv", built)

    finder = "import __editable___mine_1_finder as f; print(*f.MAPPING.values(), f.OTHER)"
    venv = tmp_path / "venv"
    assert run(venv, finder) == f"{built}/src/mine {built} {built}-beside/x"
    assert run(venv, finder, elsewhere) == f"{elsewhere}/src/mine {elsewhere} {built}-beside/x"
    assert run(venv, "import sys, there; print(there.NAME, sys.other)") == "built 1"
    assert run(venv, "import there; print(there.NAME)", elsewhere) == "elsewhere"
