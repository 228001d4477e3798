"""The snippets in `tests/transparency/snippets`, which are plain shell."""

from __future__ import annotations

from pathlib import Path

from support.transparency.snippets import numbered, parse

_FOLDER = Path(__file__).parents[2] / "transparency" / "snippets"

_FOUND = [
    snippet
    for file in sorted(_FOLDER.glob("*.sh"))
    for snippet in parse(file.read_text("latin-1"), theme=file.stem)
]
SNIPPETS = numbered(_FOUND)
CORE = [snippet for snippet in SNIPPETS if snippet.core]
