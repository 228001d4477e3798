from __future__ import annotations

from traceproof.sandbox.environments.dates import ladder, later, settled, tools_for


def test_everything_is_as_of_the_commits_day_first() -> None:
    first = ladder("2024-05-01T10:00:00Z", (3, 11))[0]

    assert first.arguments()[:2] == ["--exclude-newer", "2024-05-01T10:00:00Z"]
    assert "--exclude-newer-package" not in first.arguments()
    assert first.note == ""


def test_an_old_project_gets_a_runner_that_runs_on_this_python() -> None:
    arguments = ladder("2020-05-21", (3, 11))[0].arguments()

    assert arguments[:2] == ["--exclude-newer", "2020-05-21"]
    assert "pytest=2023-04-22" in arguments
    assert not any(argument.startswith("setuptools=") for argument in arguments)


def test_what_builds_for_long_is_not_built_from_source() -> None:
    arguments = ladder("2020-05-21", (3, 11))[0].arguments()

    assert arguments[arguments.index("numpy") - 1] == "--only-binary"
    assert "six" not in arguments


def test_each_further_rung_lets_more_be_newer_and_says_so() -> None:
    rungs = ladder("2020-05-21", (3, 11))

    assert [(r.everything, r.tools, r.compiled) for r in rungs] == [
        ("2020-05-21", "2020-05-21", "2020-05-21"),
        ("2020-05-21", "2023-04-22", "2020-05-21"),
        ("2020-05-21", "2023-04-22", "2023-04-22"),
        ("2023-04-22", "2023-04-22", "2023-04-22"),
        ("", "", ""),
    ]
    assert [bool(r.note) for r in rungs] == [False, True, True, True, True]
    assert rungs[-1].arguments() == []


def test_the_projects_own_lock_is_tried_before_all_else() -> None:
    rungs = ladder("2024-05-01", (3, 11), locked=True)

    assert [r.locked for r in rungs] == [True, False, False]
    assert "lock cannot be met" in rungs[1].note


def test_without_a_date_everything_is_of_today() -> None:
    assert [r.arguments() for r in ladder("", (3, 12))] == [[]]
    assert tools_for("", (3, 12)) == ""


def test_tools_can_install_in_place_whatever_the_day() -> None:
    assert tools_for("2020-05-21", (3, 7)) == "2022-09-01"
    assert tools_for("2020-05-21", (3, 12)) == settled((3, 12)) == "2024-03-30"
    assert tools_for("2025-01-01T00:00:00Z", (3, 12)) == "2025-01-01T00:00:00Z"


def test_the_later_date_is_kept_as_it_was_written() -> None:
    assert later("2024-05-01T10:00:00Z", "2024-05-01") == "2024-05-01T10:00:00Z"
    assert later("2024-05-01", "2025-01-01") == "2025-01-01"
    assert later("2024-05-01", "") == "2024-05-01"
