"""Write the verdict's JSON schema and tables of fields, or with --check say if they are current.

Both come from the structs and the texts below their fields: docs/verdict.schema.json whole, and the
end of docs/verdict.md.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from traceproof.replay import runs, verdict

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMA, PAGE = DOCS / "verdict.schema.json", DOCS / "verdict.md"
MARK = "<!-- From here on: written by scripts/verdict_doc.py from the structs. -->\n"


def texts() -> dict[tuple[str, str], str]:
    """Return what is said of each struct, under an empty name, and of each of its fields."""
    found = {}
    for module in (runs, verdict):
        tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found[node.name, ""] = _flat(ast.get_docstring(node) or "")
                found |= {(node.name, name): text for name, text in _fields(node)}
    return found


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match after:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield field.target.id, _flat(text)


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("None: ", "null: ").replace("|", "\\|")


def structs() -> list[type[msgspec.Struct]]:
    """Return the structs of a verdict, each after the one that it is first used in."""
    found: dict[type[msgspec.Struct], None] = {verdict.Verdict: None}
    queue: list[type[msgspec.Struct]] = [verdict.Verdict]
    while queue:
        for hint in get_type_hints(queue.pop(0)).values():
            for inner in _inner(hint):
                if inner not in found:
                    found[inner] = None
                    queue.append(inner)
    return list(found)


def _inner(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _inner(argument)


def schema(said: dict[tuple[str, str], str]) -> str:
    """Return the JSON schema, with what is said of each field."""
    made = msgspec.json.schema(verdict.Verdict, schema_hook=lambda _: {"title": "Anything"})
    for name, inner in made["$defs"].items():
        inner["description"] = said[name, ""]
        for struct in (one for one in structs() if one.__name__ == name):
            for field in msgspec.structs.fields(struct):
                told = inner["properties"][field.encode_name]
                inner["properties"][field.encode_name] = told | {
                    "description": said[name, field.name]
                }
    made["$defs"]["Verdict"]["required"] = sorted(
        {*made["$defs"]["Verdict"]["required"], "traceproof_verdict"}
    )
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"traceproof verdict, format {verdict.VERSION}",
    }
    return json.dumps(head | made, indent=2, ensure_ascii=False) + "\n"


def tables(said: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield the lines of the tables, one for each struct."""
    for struct in structs():
        name = struct.__name__
        yield f"\n### {name}\n\n{said[name, '']}\n\n| field | is | means |\n|---|---|---|\n"
        hints = get_type_hints(struct)
        for field in msgspec.structs.fields(struct):
            kind = _kind(hints[field.name]).replace("|", "or")
            yield f"| `{field.encode_name}` | {kind} | {said[name, field.name]} |\n"


def _kind(hint: Any) -> str:
    """Return a type in the words of JSON."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{value}`" if value else "empty" for value in arguments)
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"object of {_kind(arguments[1])}"
    if arguments:
        return " or ".join(_kind(argument) for argument in arguments)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    names = {str: "text", int: "integer", float: "number", bool: "boolean", object: "anything"}
    return names.get(hint, "null")


def main() -> int:
    """Write or check both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if stale")
    check = parser.parse_args().check
    said = texts()
    wanted = {
        SCHEMA: schema(said),
        PAGE: PAGE.read_text("utf-8").partition(MARK)[0] + MARK + "".join(tables(said)),
    }
    stale = [
        path for path, text in wanted.items() if not path.is_file() or path.read_text() != text
    ]
    if check and stale:
        names = " and ".join(path.name for path in stale)
        print(f"docs: {names}: out of date: run scripts/verdict_doc.py", file=sys.stderr)
        return 1
    for path in stale:
        path.write_text(wanted[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
