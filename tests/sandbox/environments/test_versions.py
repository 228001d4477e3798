from __future__ import annotations

import pytest

from traceproof.sandbox.environments.versions import satisfies


@pytest.mark.parametrize(
    ("requires", "fits", "too_old", "too_new"),
    [
        (">=3.9", (3, 9), (3, 8), None),
        (">=3.8,<3.12", (3, 11), (3, 7), (3, 12)),
        (">=3.8.1,<4.0", (3, 8), (3, 7), None),
        (">3.8", (3, 9), (3, 8), None),
        ("<=3.11", (3, 11), None, (3, 12)),
        ("<3.12.4", (3, 12), None, (3, 13)),
        ("==3.11.*", (3, 11), (3, 10), (3, 12)),
        ("~=3.8", (3, 12), (3, 7), (4, 0)),
        ("~=3.8.1", (3, 8), (3, 7), (3, 9)),
        ("^3.8", (3, 12), (3, 7), (4, 0)),
        ("~3.8", (3, 8), (3, 7), (3, 9)),
        (">=2.7, !=3.0.*, !=3.9.*", (3, 8), (3, 0), (3, 9)),
    ],
)
def test_a_release_of_a_minor_version_is_enough(
    requires: str,
    fits: tuple[int, int],
    too_old: tuple[int, int] | None,
    too_new: tuple[int, int] | None,
) -> None:
    assert satisfies(fits, requires)
    assert [v for v in (too_old, too_new) if v and satisfies(v, requires)] == []


@pytest.mark.parametrize("requires", ["", "*", "whatever", ">=3.6,,", "!=3.11.1"])
def test_what_says_nothing_about_a_minor_version_is_passed_over(requires: str) -> None:
    assert satisfies((3, 11), requires)


def test_one_of_two_alternatives_is_enough() -> None:
    assert satisfies((3, 7), "~3.7 || ^3.9")
    assert not satisfies((3, 8), "~3.7 || ^3.9")
