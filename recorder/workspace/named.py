"""Which files a tool call says it changes, and whether it could change any at all.

Read from its name and arguments, as the coding agents of today call their tools. What a call says
is a hint, not a fact: it decides only between several calls that could have made a change.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec

READERS = frozenset({
    "agent", "codebase_search", "fetch", "find_path", "glob", "google_web_search",
    "get_internal_docs", "grep", "grep_search", "list", "list_dir", "list_directory",
    "listmcpresources", "ls", "lsp",
    "multi_tool_use", "question", "read", "read_file", "read_many_files", "readmcpresource",
    "search_file_content", "skill", "task", "taskoutput", "todoread", "todowrite", "toolsearch",
    "update_plan", "view", "view_image", "web_fetch", "web_search", "webfetch", "websearch",
    "write_todos", "askuserquestion", "exitplanmode", "enterplanmode", "bashoutput",
})  # fmt: skip
"""Tools that change no file themselves; what a sub-agent changes is its own calls' doing."""

_KEYS = frozenset({
    "file_path", "filepath", "path", "filename", "file", "absolute_path", "notebook_path",
    "target_file", "files", "paths", "edits", "old_path", "new_path", "source", "destination",
})  # fmt: skip
_TEXTS = frozenset({"patch", "patchtext", "patch_text", "input", "diff", "content", "edit"})
_HEADS = re.compile(
    r"""(?:^|\\n|["'`])(?:\*\*\* (?:Add|Update|Delete) File: |\*\*\* Move to: |\+\+\+ b/|--- a/)"""
    r"""([^\n"'`\\]+?)[ \t\r]*(?:$|\\n|["'`])""",
    re.MULTILINE,
)
"""The heads of a patch, as text or within a string of a program."""
_MOST = 4 << 20
_MOST_PATHS = 1000


def may_change(tool: str) -> bool:
    """Tell whether a tool of this name could change files."""
    return tool.rpartition(".")[2].lower() not in READERS


def named_paths(arguments: str, root: str, folder: str) -> frozenset[bytes]:
    """Return the paths that a call names, from the root on.

    Args:
        arguments: the call's, JSON or text.
        root: the workspace's.
        folder: where the agent was started; relative paths may be meant from either.
    """
    if len(arguments) > _MOST:
        return frozenset()
    try:
        decoded: Any = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        decoded = arguments
    found: set[bytes] = set()
    for path in _paths(decoded):
        for above in {root, folder}:
            inside = os.path.relpath(os.path.join(above, path), root)  # noqa: PTH118
            if not inside.startswith(".."):
                found.add(os.fsencode(inside))
        if len(found) > _MOST_PATHS:
            break
    return frozenset(found)


def _paths(value: Any, key: str = "") -> Iterator[str]:
    """Yield what stands where tools name paths, without descending for ever."""
    waiting = [(value, key)]
    while waiting:
        at, name = waiting.pop()
        if isinstance(at, dict):
            waiting += [(inner, str(inner_key).lower()) for inner_key, inner in at.items()]
        elif isinstance(at, list):
            waiting += [(inner, name) for inner in at]
        elif isinstance(at, str) and "\0" not in at:
            if name in _KEYS:
                yield at
            elif not name or name in _TEXTS:
                yield from _HEADS.findall(at)
