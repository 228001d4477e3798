from __future__ import annotations

from traceproof.replay.steps.compare import Compared, compare, summed
from traceproof.replay.steps.rules import Surroundings

THEN = Surroundings(time=1e9, pids=frozenset({4711}))
NOW = Surroundings(time=1.8e9, pids=frozenset({12}))


def compared(recorded: str, replayed: str, script: str = "") -> Compared:
    return compare("stdout", recorded, replayed, THEN, NOW, script=script)


def uses(result: Compared) -> dict[str, tuple[int, int]]:
    return {name: (use.count, use.bytes) for name, use in result.uses.items()}


def test_equal_text_needs_no_rule() -> None:
    result = compared("a 0.1s\n", "a 0.1s\n")

    assert (result.first, result.bytes, result.uses) == (None, 7, {})


def test_only_what_differs_is_touched() -> None:
    result = compared("a in 0.1s, b in 0.25s\n", "a in 0.1s, b in 7s\n")

    assert (result.first, uses(result)) == (None, {"duration": (1, 5)})


def test_one_byte_beside_a_rule_is_seen() -> None:
    result = compared("3 passed in 0.12s\n", "4 passed in 0.15s\n")

    assert result.first is not None
    assert (result.first.number, result.first.recorded) == (1, "3 passed in 0.12s")
    assert result.uses == {}


def test_a_line_more_is_a_difference() -> None:
    result = compared("a\n", "a\nb\n")

    assert result.first is not None
    assert (result.first.number, result.first.recorded, result.first.replayed) == (2, "", "b")
    assert result.lines == 2


def test_numbers_like_the_replays_process_id_are_left_alone() -> None:
    assert compared("12 passed in 1s", "12 passed in 2s").first is None
    assert compared("I am 4711", "I am 12").first is None
    assert compared("I am 4711", "I am 13").first is not None


def test_lists_of_files_may_come_in_another_order_and_other_lists_may_not() -> None:
    assert uses(compared("b\na\n", "a\nb\n", "find . -type f")) == {"file order": (2, 2)}
    assert uses(compared("b\na\n", "a\nb\n", "grep -rn x src | head")) == {"file order": (2, 2)}
    assert compared("b\na\n", "a\nb\n", "cat x").first is not None
    assert compared("b\na\n", "a\na\n", "find .").first is not None


def test_what_is_the_recorders_or_within_git_is_left_out() -> None:
    result = compared("./.traceproof/ca\n./a\n./.git/hooks/x\n", "./a\n", "find .")

    assert (result.first, set(uses(result))) == (None, {"recorder", ".git"})


def test_a_listing_with_other_owners_and_times() -> None:
    recorded = (
        "total 8\n"
        "drwxr-xr-x 3 ada ada 4096 Nov 19 10:00 sub\n"
        "-rw-r--r-- 1 ada ada   19 Nov 19 10:00 a\n"
    )
    replayed = (
        "total 4\n"
        "drwxr-xr-x 3 work work 60 Nov 20 22:13 sub\n"
        "-rw-r--r-- 1 work work 19 Nov 20 22:13 a\n"
    )

    assert compared(recorded, replayed, "ls -l").first is None
    assert compared(recorded, replayed.replace(" 19 ", " 20 "), "ls -l").first is not None


def test_users_of_both_runs() -> None:
    both = frozenset({"root", "work"})

    result = compare(
        "output", "root\n", "work\n", THEN._replace(users=both), NOW._replace(users=both)
    )

    assert uses(result) == {"user": (1, 4)}


def test_bytes_that_are_no_text_are_compared_and_shown() -> None:
    result = compared("\udcff\n", "\udcfe\n")

    assert result.first is not None
    assert result.first.recorded == "\\udcff"


def test_rules_of_several_streams_are_summed() -> None:
    found = [compared("1s\n2s\n", "3s\n4s\n"), compared("1s", "2s")]

    assert [(use.rule, use.count, use.bytes) for use in summed(found)] == [("duration", 3, 6)]


def test_a_search_by_another_program_has_no_dot_before_its_paths() -> None:
    result = compared("a.py:1:x\nb.py:1:x\n", "./b.py:1:x\n./a.py:1:x\n", "grep -rn x .")

    assert (result.first, uses(result)) == (None, {"search": (2, 4), "file order": (2, 16)})
    assert compared("a.py:1:x\n", "./a.py:1:x\n", "cat list").first is not None


def test_lines_beyond_reason_are_compared_as_they_are() -> None:
    assert compared("x" * 5000 + " 1s", "x" * 5000 + " 2s").first is not None
    assert compared("/a" * 1900 + "/b 1s", "/a" * 1900 + "/c 1s").first is not None
