"""Projects installed in place, followed to where a box has its copy of the tree.

What an installation in place leaves behind names the tree by its absolute path. A local box that
cannot have its copy at that path has it elsewhere, and says so in a variable; here the paths are
rewritten so that they follow it. Without the variable they are what they were.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

VARIABLE: Final = "TRACEPROOF_WORKSPACE"


def follow(venv: Path, workspace: str) -> None:
    """Rewrite what the project's installation left in a virtual environment."""
    for packages in venv.glob("lib/python*/site-packages"):
        for finder in packages.glob("__editable___*_finder.py"):
            finder.write_text(_in_code(finder.read_text("utf-8"), workspace), "utf-8")
        for listed in packages.glob("*.pth"):
            listed.write_text(_in_list(listed.read_text("utf-8"), workspace), "utf-8")


def _in_code(text: str, workspace: str) -> str:
    """Put the variable into string literals that begin with the path."""
    where = f"__import__('os').environ.get({VARIABLE!r}, {workspace!r})"
    for quote in ("'", '"'):
        text = text.replace(f"{quote}{workspace}/", f"{where} + {quote}/")
        text = text.replace(f"{quote}{workspace}{quote}", where)
    return text


def _in_list(text: str, workspace: str) -> str:
    """Make code of the lines that name folders of the workspace."""
    return "".join(_line(line, workspace) for line in text.splitlines(keepends=True))


def _line(line: str, workspace: str) -> str:
    path = line.rstrip("\n")
    if path != workspace and not path.startswith(f"{workspace}/"):
        return line
    below = path.removeprefix(workspace)
    where = f"os.environ.get({VARIABLE!r}, {workspace!r}) + {below!r}"
    return f"import os, sys; sys.path.append({where})\n"
