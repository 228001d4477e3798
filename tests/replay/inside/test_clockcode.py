"""The machine code, as far as it can be looked at without running it."""

from __future__ import annotations

import pytest

from traceproof.replay.inside.clock import FILES
from traceproof.replay.inside.clockcode import AARCH64, X86_64, assembled

TIMES = {"clock_gettime", "gettimeofday", "sem_timedwait"}


@pytest.mark.parametrize(
    ("listing", "more"), [(X86_64, {"time"}), (AARCH64, set())], ids=["x86-64", "aarch64"]
)
def test_a_listing_has_every_function_and_the_first_is_clock_gettime(
    listing: str, more: set[str]
) -> None:
    code, places = assembled(listing)

    assert set(places) == TIMES | set(FILES) | more
    assert places["clock_gettime"] == 0
    assert max(places.values()) < len(code) < 512
    assert len(code) % 8 == 0


def test_every_instruction_of_aarch64_has_four_bytes() -> None:
    lines = [line.split()[0] for line in AARCH64.split("\n") if line and not line.endswith(":")]

    assert {len(word) for word in lines} == {8}
