from __future__ import annotations

import pytest

from traceproof.commands.quantities import seconds, size, some_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("10 min", 600), ("2H", 7200), ("0", 0)],
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text, "--time") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1024", 1024), ("512m", 512 << 20), ("4g", 4 << 30), ("1.5GiB", 3 << 29), ("10 kB", 10240)],
)
def test_sizes(text: str, expected: int) -> None:
    assert size(text, "--memory") == expected


@pytest.mark.parametrize("text", ["", "x", "-1", "10 x", "1e9", "m"])
def test_what_is_neither(text: str) -> None:
    with pytest.raises(ValueError, match=r"--time '.*': a time like 90s, 10m or 2h"):
        seconds(text, "--time")
    with pytest.raises(ValueError, match=r"--memory '.*': a size like 512m or 4g"):
        size(text, "--memory")


def test_what_is_too_little() -> None:
    assert (seconds("1", "--timeout", 1), size("16m", "--memory", 16 << 20)) == (1, 16 << 20)
    with pytest.raises(ValueError, match=r"--timeout '0.5s': 1 s is the least"):
        seconds("0.5s", "--timeout", 1)
    with pytest.raises(ValueError, match=r"--memory '0': 16m is the least"):
        size("0", "--memory", 16 << 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", ("order", "hash_seed", "load")),
        ("none", ()),
        ("load, order", ("order", "load")),
        ("hash-seed", ("hash_seed",)),
    ],
)
def test_some_of_what_is_known(text: str, expected: tuple[str, ...]) -> None:
    assert some_of(text, ("order", "hash_seed", "load"), "--axes") == expected


def test_one_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="--axes 'ordr': known are all, none, order, load"):
        some_of("ordr", ("order", "load"), "--axes")
