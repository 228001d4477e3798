from __future__ import annotations

from pathlib import Path

from traceproof.verifying import ownruns


def test_what_was_noted_is_known_to_who_noted_it(tmp_path: Path) -> None:
    mine, theirs = ({"XDG_CACHE_HOME": str(tmp_path / name)} for name in ("mine", "theirs"))

    ownruns.note("ab12", mine)

    assert ownruns.is_noted("ab12", mine)
    assert not ownruns.is_noted("ab13", mine)
    assert not ownruns.is_noted("ab12", theirs)


def test_what_is_no_digest_was_not_noted(tmp_path: Path) -> None:
    mine = {"XDG_CACHE_HOME": str(tmp_path)}
    ownruns.note("ab12", mine)

    for name in ("", "../local-runs/ab12", "./ab12", "ab12/"):
        assert not ownruns.is_noted(name, mine)
