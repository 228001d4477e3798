from __future__ import annotations

import pytest

from traceproof.replay.steps.rules import RULES, Surroundings, has_pid, places

NOW = Surroundings(time=1_795_211_102.0, pids=frozenset({4711}), git=True)


def found(line: str, around: Surroundings = NOW) -> list[tuple[str, str]]:
    return [(part.rule, part.text) for part in places(line, around) if part.rule]


@pytest.mark.parametrize(
    ("line", "rule", "text"),
    [
        ("Fri Nov 20 21:45:02 UTC 2026", "time", "Fri Nov 20 21:45:02 UTC 2026"),
        ("at 2026-11-20T21:45:02.123+00:00.", "time", "2026-11-20T21:45:02.123+00:00"),
        ("2026-11-20 21:45:02,123 INFO", "time", "2026-11-20 21:45:02,123"),
        ("Date:   Fri Nov 20 21:45:02 2026 +0000", "time", "Fri Nov 20 21:45:02 2026"),
        ("[20/Nov/2026:21:45:02 +0000]", "time", "20/Nov/2026:21:45:02 +0000"),
        ("started 1795211109.25", "time", "1795211109.25"),
        ("3 passed in 0.12s", "duration", "0.12s"),
        ("Ran 3 tests in 0.001s", "duration", "0.001s"),
        ("real\t0m0.003s", "duration", "0m0.003s"),
        ("took 12 ms", "duration", "12 ms"),
        ("at 3.4 MB/s", "duration", "3.4 MB/s"),
        ("<object object at 0x7f12ab34cd56>", "address", "0x7f12ab34cd56"),
        (
            "id 123e4567-e89b-12d3-a456-426614174000",
            "random id",
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        ("/tmp/tmp.uhPDrkCUan/x.py", "temporary", "/tmp/tmp.uhPDrkCUan"),
        ("/var/tmp/tmpab12cd3_/x.py", "temporary", "/var/tmp/tmpab12cd3_"),
        ("in /tmp/pytest-of-ada/pytest-12/test0", "temporary", "/tmp/pytest-of-ada/pytest-12"),
        ("shell is 4711", "pid", "4711"),
        ("worker pid=31", "pid", "31"),
        ("[1] 2345", "pid", "2345"),
        ("listening on 127.0.0.1:43211", "port", "43211"),
        ("random seed: 12345", "seed", "12345"),
        ("[main 1a2b3c4] two", "commit", "1a2b3c4"),
        ("/bin/bash: line 1: x: command not found", "shell", "/bin/bash: line 1: "),
        ("bash: line 1:    55 Killed   sh", "shell", "bash: line 1:    55 "),
        ("==== 3 passed ====", "padding", "===="),
        ("total 24", "listing", "24"),
        ("/usr/lib/python3.11/ast.py", "library", "/usr/lib/python3.11"),
        ("/home/ada/x", "home", "/home/ada"),
    ],
)
def test_a_rule_finds(line: str, rule: str, text: str) -> None:
    assert (rule, text) in found(line)
    assert rule in RULES


@pytest.mark.parametrize(
    "line",
    [
        "x = 42", "12 passed, 3 failed", "version 3.11.7", "a.py:12: error", "port 80",
        "0x1f", "/tmp/out.txt", "/tmp/sorted.lines", "exit code 3", "100%", "--- a/x", "*** y",
        "5 files changed, 12 insertions(+)", "deadbeefcafe", "1234567890",
    ],
)  # fmt: skip
def test_numbers_as_such_are_compared(line: str) -> None:
    assert found(line, NOW._replace(git=False)) == []


def test_of_a_long_listing_names_modes_and_sizes_of_files_are_compared() -> None:
    line = "-rw-r--r-- 1 ada staff  19 Nov 20 22:09 README"

    assert [part.text for part in places(line, NOW) if not part.rule] == [
        "-rw-r--r--", "19 ", " README",
    ]  # fmt: skip


def test_the_workspaces_place_is_known_where_it_moved() -> None:
    around = Surroundings(paths=(("workspace", "/srv/p"),))

    assert found("/srv/p/a.py and /srv/project", around) == [("workspace", "/srv/p")]


def test_a_line_without_the_recorded_process_id_has_none() -> None:
    assert has_pid("it is 4711", frozenset({4711}))
    assert not has_pid("it is 47110", frozenset({4711}))
