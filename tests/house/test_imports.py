"""The import graph against the table of decision 0001: who imports whom, and no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

MAY_IMPORT = {
    "recorder": set[str](),
    "proxy": {"recorder"},
    "sandbox": set[str](),
    "replay": {"recorder", "sandbox"},
    "curate": {"recorder", "replay"},
    "face": {"recorder", "proxy", "sandbox", "replay", "curate"},
}


def room(module: str) -> str:
    second = module.split(".")[1] if "." in module else ""
    return second if second in MAY_IMPORT else "face"


ELSEWHERE = ("replay", "inside")
"""A package of another name where it runs, beside tests: it imports relatively."""


def _source(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return str(node.module)
    assert node.level == 1, f"{path}: a relative import"
    assert path.parent.parts[-2:] == ELSEWHERE, f"{path}: a relative import"
    return ".".join(filter(None, ("traceproof", *ELSEWHERE, node.module)))


def imports(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Yield our modules that a file imports, function bodies too, type-checking blocks not."""
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        pending.extend(ast.iter_child_nodes(node))
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, path)
            inner = [f"{source}.{alias.name}" for alias in node.names]
            names = [n if n in modules else source for n in inner]
        yield from (name for name in names if name in modules)


def graph(modules: dict[str, Path]) -> dict[str, set[str]]:
    return {name: set(imports(path, modules)) - {name} for name, path in modules.items()}


def test_a_folder_imports_only_what_the_table_allows(modules: dict[str, Path]) -> None:
    wrong = [
        f"{module} imports {used}"
        for module, uses in graph(modules).items()
        for used in sorted(uses)
        if room(used) != room(module) and room(used) not in MAY_IMPORT[room(module)]
    ]

    assert wrong == []


def test_no_module_imports_itself_in_a_circle(modules: dict[str, Path]) -> None:
    TopologicalSorter(graph(modules)).prepare()  # raises CycleError, which names the circle


def test_the_graph_is_not_empty(modules: dict[str, Path]) -> None:
    # A graph that found nothing would pass the two tests above.
    assert {"traceproof.recorder.otlp", "traceproof.proxy.exchange"} <= modules.keys()
    assert "traceproof.version" in graph(modules)["traceproof"]
