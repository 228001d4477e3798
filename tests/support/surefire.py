"""Maven Surefire's published schema of test reports, version 3.0.2, as a table and a check of it.

Restated by hand from apache/maven-surefire `surefire-test-report.xsd`: which attributes and, in
which order, which elements may be where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element


class _Kind(NamedTuple):
    must: frozenset[str]
    may: frozenset[str]
    inside: tuple[str, ...]


def _kind(must: str = "", may: str = "", inside: str = "") -> _Kind:
    return _Kind(frozenset(must.split()), frozenset(may.split()), tuple(inside.split()))


_AGAIN = _kind(may="message type", inside="stackTrace system-out system-err")
_KINDS = {
    "testsuite": _kind(
        "name tests errors skipped failures", "version time timestamp flakes group",
        "properties testcase",
    ),
    "properties": _kind(inside="property"),
    "property": _kind("name value"),
    "testcase": _kind(
        "name time", "classname group timestamp",
        "failure rerunFailure flakyFailure skipped error rerunError flakyError "
        "system-out system-err",
    ),
    "failure": _kind(may="message type"),
    "error": _kind(may="message type"),
    "skipped": _kind(may="message"),
    "rerunFailure": _AGAIN,
    "flakyFailure": _AGAIN,
    "rerunError": _AGAIN,
    "flakyError": _AGAIN,
    "stackTrace": _kind(),
    "system-out": _kind(),
    "system-err": _kind(),
}  # fmt: skip
_ONCE = {"properties", "skipped", "error", "system-out", "system-err", "stackTrace"}


def faults(element: Element) -> Iterator[str]:
    """Yield where an element is not as the schema wants it."""
    kind = _KINDS[element.tag]
    names = set(element.keys())
    if not kind.must <= names <= kind.must | kind.may:
        yield f"{element.tag}: attributes {sorted(names)}"
    float(element.get("time", "0"))
    inside = [child.tag for child in element]
    if set(inside) - set(kind.inside) or inside != sorted(inside, key=kind.inside.index):
        yield f"{element.tag}: elements {inside}"
    if any(inside.count(tag) > 1 for tag in _ONCE):
        yield f"{element.tag}: twice in {inside}"
    if element.tag.startswith(("rerun", "flaky")) and "stackTrace" not in inside:
        yield f"{element.tag}: no stackTrace"
    for child in element:
        yield from faults(child)
