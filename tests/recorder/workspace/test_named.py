from __future__ import annotations

import json

import pytest

from traceproof.recorder.workspace.named import may_change, named_paths

PATCH = "*** Begin Patch\n*** Add File: new.py\n+x\n*** Update File: sub/old.py\n@@\n*** End Patch"


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({"file_path": "/w/p/a.py", "content": "x"}, {b"a.py"}),
        ({"filePath": "a.py"}, {b"a.py", b"sub/a.py"}),
        ({"edits": [{"path": "/w/p/b"}, {"path": "/w/p/c"}]}, {b"b", b"c"}),
        ({"path": "/etc/passwd"}, set()),
        ({"path": "../out"}, {b"out"}),
        ({"input": PATCH}, {b"new.py", b"sub/new.py", b"sub/old.py", b"sub/sub/old.py"}),
        ({"command": "echo > a.py"}, set()),
        ({"path": 3, "file": None}, set()),
    ],
)
def test_the_paths_that_a_call_names(arguments: object, paths: set[bytes]) -> None:
    assert named_paths(json.dumps(arguments), "/w/p", "/w/p/sub") == paths


def test_a_patch_as_text_and_within_a_program() -> None:
    program = "await tools.apply_patch('*** Begin Patch\\n*** Add File: new.py\\n+x\\n')"
    for text in (PATCH, program):
        assert b"new.py" in named_paths(text, "/w/p", "/w/p")
    assert named_paths("--- a/x.py\n+++ b/x.py\n", "/w/p", "/w/p") == {b"x.py"}


def test_what_cannot_be_read_names_nothing() -> None:
    for text in ("", "[" * 100_000, "{", "x" * (5 << 20), '{"path": "a\\u0000b"}'):
        assert named_paths(text, "/w/p", "/w/p") == frozenset()


def test_which_tools_only_read() -> None:
    assert not any(map(may_change, ("Read", "Grep", "functions.read_file", "Task", "webfetch")))
    assert all(map(may_change, ("Bash", "Edit", "apply_patch", "mcp__files__write", "exec", "")))
