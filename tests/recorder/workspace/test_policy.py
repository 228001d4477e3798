from __future__ import annotations

from traceproof.recorder.workspace.ignore import Rules
from traceproof.recorder.workspace.policy import DEFAULTS, Policy

LOGS = Rules(b"*.log\nbuild/\n", [])


def test_what_is_ignored_is_hidden_unless_it_is_kept() -> None:
    policy = Policy()

    assert policy.hides("a.log", [LOGS])
    assert policy.keep(["a.log"])
    assert not policy.hides("a.log", [LOGS])
    assert policy.hides("b.log", [LOGS])


def test_the_folders_above_what_is_kept_are_looked_into_and_stay_ignored() -> None:
    policy = Policy()
    policy.keep(["build/deep/a.c"])

    assert [policy.keeps(path) for path in ("build/", "build/deep/", "build/deep/a.c")] == [
        True
    ] * 3
    assert not policy.keeps("build/deep/b.c")
    assert not policy.keeps("build/other/")
    assert policy.hides("build/", [LOGS])


def test_keeping_says_whether_anything_is_new() -> None:
    policy = Policy()

    assert [policy.keep(["a"]), policy.keep(["a"]), policy.keep(["a", "b"])] == [True, False, True]


def test_patterns_for_the_whole_workspace_count_less_than_those_nearer() -> None:
    policy = Policy("git's", [b"*.log\n", b"*.tmp\n"])
    near = Rules(b"!keep.log\n", [])

    assert policy.hides("a.log", [near])
    assert policy.hides("a.tmp", [near])
    assert not policy.hides("keep.log", [near])


def test_where_nothing_is_to_be_ignored_no_rules_count() -> None:
    policy = Policy("all files", None)

    assert not policy.obeys
    assert not policy.hides("a.log", [LOGS])


def test_without_a_repository_what_tools_fill_is_left_out() -> None:
    policy = Policy("usual", [DEFAULTS])

    filled = ["node_modules/", "web/node_modules/", ".venv/", "src/__pycache__/", "a/b.pyc"]
    assert [path for path in filled if not policy.hides(path, [])] == []
    assert not policy.hides("src/venv.py", [])
