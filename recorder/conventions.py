"""Versions of the GenAI conventions, and how what is said in one is said in another.

A trace file speaks the pinned version (`traceproof.recorder.semconv` has its names). The reader
brings the names of a later one back to it, and an exporter speaks whichever it is asked to.
A version later than these needs a row here, and nothing else.

Sources: the registry of semantic-conventions v1.41.1, the last one with GenAI in it; the migration
guide of the semantic-conventions-genai repository, which lists every change since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, AttributeValue


class Convention(NamedTuple):
    """One version: its schema, and where it differs from the pinned one.

    `renamed` leads from a pinned name to this version's. `whole` are (this version's) names of
    numbers that are integers here and doubles in the pinned one.
    """

    name: str
    schema_url: str
    renamed: Mapping[str, str]
    whole: frozenset[str] = frozenset()


PINNED = Convention(semconv.SEMCONV_VERSION, semconv.SCHEMA_URL, {})
"""What trace files speak."""

GENAI = Convention(
    "1.42.0-dev",
    "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev",
    {semconv.CACHE_CREATION_TOKENS: "gen_ai.usage.cache_write.input_tokens"},
    frozenset({"gen_ai.request.top_k"}),
)
"""The repository of its own that GenAI moved to; in development, no release yet.

It also takes `gen_ai.agent.id`, `gen_ai.agent.version` and `gen_ai.provider.name` from the list of
what an internal `invoke_agent` span has, and `finish_reason` from messages is deprecated there.
Neither is renamed, so they are left as they are: a consumer ignores what it does not know.
"""

VERSIONS = {version.name: version for version in (PINNED, GENAI)}

_TO_PINNED = {
    later: name for version in VERSIONS.values() for name, later in version.renamed.items()
}


def translate(attributes: Attributes, to: Convention) -> Attributes:
    """Return attributes that have pinned names as another version says them, in their order."""
    if to is PINNED:
        return attributes
    said = {to.renamed.get(name, name): value for name, value in attributes.items()}
    for name in to.whole & said.keys():
        said[name] = _whole(said[name])
    return said


def pinned(attributes: Attributes) -> Attributes:
    """Return attributes with the pinned names, whichever version they have.

    Where both names of one thing are there, the pinned one stands.
    """
    if _TO_PINNED.keys().isdisjoint(attributes):
        return attributes
    found: Attributes = {}
    for name, value in attributes.items():
        known = _TO_PINNED.get(name, name)
        if known == name or known not in attributes:
            found[known] = value
    return found


def _whole(value: AttributeValue) -> AttributeValue:
    return int(value) if isinstance(value, float) and value.is_integer() else value
