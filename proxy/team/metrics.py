"""Figures as text, in Prometheus' exposition format. It counts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "traceproof_"


class Sample(NamedTuple):
    """One figure, and what tells it from others of its family."""

    value: float
    labels: Mapping[str, str] = {}


class Family(NamedTuple):
    """Figures of one name, without the prefix; `kind` is `counter` or `gauge`."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def counter(name: str, text: str, value: float) -> Family:
    """Return a family of one figure that only rises."""
    return Family(name, "counter", text, [Sample(value)])


def gauge(name: str, text: str, value: float) -> Family:
    """Return a family of one figure that rises and falls."""
    return Family(name, "gauge", text, [Sample(value)])


def encode(families: Iterable[Family]) -> bytes:
    """Return the page."""
    lines = []
    for family in families:
        name = PREFIX + family.name
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
        lines += [f"{name}{_labels(each.labels)} {each.value!r}" for each in family.samples]
    return ("\n".join(lines) + "\n").encode()


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
