"""Copies of items; that their fixtures are set up again is trap 1 of test_traps.py."""

from __future__ import annotations

import pytest

from traceproof.replay.inside.copies import copied, twice


def test_a_copy_shares_nothing_that_a_run_changes(request: pytest.FixtureRequest) -> None:
    item = request.node

    copy = copied(item)
    copy.add_marker(pytest.mark.usefixtures())
    copy.user_properties.append(("a", 1))
    copy.stash[pytest.StashKey[int]()] = 1

    assert copy.nodeid == item.nodeid
    assert (list(item.iter_markers()), item.user_properties) == ([], [])
    assert "usefixtures" not in item.keywords
    assert len(copy.stash) == len(item.stash) + 1
    assert copy._request is not item._request


class TestOfAClass:
    def test_a_copy_has_an_instance_of_its_own(self, request: pytest.FixtureRequest) -> None:
        copy = copied(request.node)

        assert copy.obj.__func__ is request.node.obj.__func__
        assert copy.obj.__self__ is not self


def test_each_copy_is_behind_its_test_or_all_are_behind_all(request: pytest.FixtureRequest) -> None:
    items = [copied(request.node), copied(request.node)]

    each, suite = twice(items, "each"), twice(items, "suite")

    assert (each[0], each[2]) == (suite[0], suite[1]) == tuple(items)
    assert len({id(item) for item in each}) == len({id(item) for item in suite}) == 4
