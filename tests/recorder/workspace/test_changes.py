from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.workspace.changes import Change, apply, decode, encode
from traceproof.recorder.workspace.tree import Leaf, Tree

OID = "0123456789abcdef0123456789abcdef01234567"
LEAF = Leaf("100644", OID, "bytes:" + "a" * 64, 3)
NAME = st.binary(min_size=1, max_size=8).filter(
    lambda name: (
        b"/" not in name
        and b"\0" not in name
        and name not in (b".", b"..")
        and name.lower() != b".git"
    )
)


@given(st.dictionaries(st.lists(NAME, min_size=1, max_size=3).map(b"/".join), st.booleans()))
def test_whatever_the_names_a_changeset_comes_back(paths: dict[bytes, bool]) -> None:
    changes = [
        Change(path, LEAF, None) if gone else Change(path, None, LEAF)
        for path, gone in paths.items()
    ]
    assert dict(decode(encode(changes))) == {
        path: None if gone else LEAF for path, gone in paths.items()
    }


def test_what_is_gone_comes_first_and_what_is_not_kept_not_at_all() -> None:
    changes = [
        Change(b"a/b", None, LEAF),
        Change(b"a", LEAF, None),
        Change(b"long", None, None, why="too long"),
        Change(b"same", LEAF, LEAF._replace(ref="")),
    ]
    assert [change.letter for change in changes] == ["A", "D", "!", "!"]
    assert list(decode(encode(changes))) == [(b"a", None), (b"a/b", LEAF)]
    tree = Tree()
    tree.put(b"a", LEAF)
    apply(tree, decode(encode(changes)))
    assert dict(tree.leaves()) == {b"a/b": LEAF}


@pytest.mark.parametrize(
    "row",
    [
        {"path": "a", "mode": "100664", "oid": OID},
        {"path": "a", "mode": "040000", "oid": OID},
        {"path": "a", "mode": "100644", "oid": OID + "0"},
        {"path": "a", "mode": "100644", "oid": "--help"},
        {"path": "a", "mode": "100644", "oid": OID, "ref": "../../etc/passwd"},
        {"path": "a", "mode": "160000", "oid": OID, "ref": LEAF.ref},
        {"path_base64": "not base64", "mode": "100644", "oid": OID},
        {"path": ".Git/config", "mode": "100644", "oid": OID},
        {"path": 1},
        "a",
    ],
)
def test_what_no_workspace_can_hold(row: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(decode(json.dumps([row])))
