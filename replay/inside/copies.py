"""Copies of pytest's items, so that a test can run twice in one process.

An item is not made to run twice: its fixtures would not be set up the second time, and what the
first time left on it (markers, the instance of its class, a doctest's emptied names) would be met
by the second. Each execution has an item of its own, made before the first test ran.
"""

import copy
from typing import Any, List


def twice(items: List[Any], how: str) -> List[Any]:
    """Return the items with a copy of each: right after it (`each`), or after all (`suite`)."""
    again = [copied(item) for item in items]
    if how == "each":
        return [one for pair in zip(items, again) for one in pair]
    return items + again


def copied(item: Any) -> Any:
    """Return an item that shares nothing with another that a run changes."""
    new = copy.copy(item)
    for name in ("own_markers", "user_properties", "_report_sections", "extra_keyword_matches"):
        if name in new.__dict__:
            setattr(new, name, copy.copy(getattr(new, name)))
    _keywords(new)
    _stash(new)
    _instance(new)
    _doctest(new)
    if hasattr(new, "_initrequest"):
        new._initrequest()  # noqa: SLF001
    return new


def _keywords(item: Any) -> None:
    keywords = copy.copy(item.keywords)
    keywords.node = item
    keywords._markers = dict(keywords._markers)  # noqa: SLF001
    item.keywords = keywords


def _stash(item: Any) -> None:
    """Give the item a store of its own; it has had two names."""
    stash = getattr(item, "stash", None) or getattr(item, "_store", None)
    if stash is None:
        return
    new = copy.copy(stash)
    for name in ("_storage", "_store"):
        if hasattr(new, name):
            setattr(new, name, dict(getattr(new, name)))
    for name in ("stash", "_store"):
        if name in item.__dict__:
            setattr(item, name, new)


def _instance(item: Any) -> None:
    """Give a method an instance of its class of its own."""
    method = item.__dict__.get("_obj")
    owner = getattr(method, "__self__", None)
    if owner is None or isinstance(owner, type) or not hasattr(item, "_getobj"):
        return
    item.__dict__.pop("_instance", None)
    new = item._getobj()  # noqa: SLF001
    if getattr(new, "__func__", None) is getattr(method, "__func__", None):
        item._obj = new  # noqa: SLF001


def _doctest(item: Any) -> None:
    example = item.__dict__.get("dtest")
    if example is not None:
        item.dtest = copy.copy(example)
        item.dtest.globs = dict(example.globs)
