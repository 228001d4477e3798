from __future__ import annotations

import msgspec
import pytest

from traceproof.outcome import Outcome


@pytest.mark.parametrize(
    ("exit_code", "lost", "code"),
    [(0, [], 0), (0, ["a span"], 3), (1, [], 1), (7, ["a span"], 7), (143, ["a span"], 143)],
)
def test_the_agents_own_code_counts_and_what_was_lost_turns_0_into_3(
    exit_code: int, lost: list[str], code: int
) -> None:
    assert Outcome(exit_code, "aider", lost=lost).code == code


def test_as_json_it_has_what_there_is_to_say() -> None:
    outcome = Outcome(0, "aider", "a.zst", 1.5, tunnelled={"github.com": 2})

    assert msgspec.json.decode(msgspec.json.encode(outcome)) == {
        "exit_code": 0,
        "agent": "aider",
        "trace": "a.zst",
        "seconds": 1.5,
        "tunnelled": {"github.com": 2},
    }
