"""What holds for every file that is put beside the tests."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from traceproof.replay import inside

FILES = sorted(Path(inside.__file__).parent.glob("*.py"))
SINCE_3_7 = {"dataclasses", "contextvars", "importlib.resources", "graphlib", "tomllib", "zoneinfo"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_is_python_3_6_on_the_standard_library(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 6))

    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
        for name in node.names
    }
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names - {"__future__"}
    assert not imported & SINCE_3_7
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.NamedExpr | ast.Match)]
