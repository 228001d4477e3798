"""What an agent's transcript adds to a recording: what people did that no model call shows.

A command that ended the session, a prompt that waited in a queue, an interruption after which
nothing was asked any more. Only events on the root span come of it, each marked so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from traceproof.imports import events, sources
from traceproof.imports.files import TranscriptFile
from traceproof.proxy.dialects import wire
from traceproof.recorder import semconv
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, Event, Span

LARGEST = 64 << 20
"""Bytes of a transcript beyond which it is not read: the agent's user waits meanwhile."""

_CONTENT = "content"
_INLINE = 256
_SESSION = re.compile(r"[\w-]{8,64}")


def find(agent: str, environment: Mapping[str, str], session: str) -> Path | None:
    """Return where an agent has left the transcript of a session; None where there is none."""
    source = sources.SOURCES.get(agent)
    if source is None or not _SESSION.fullmatch(session):
        return None
    return next(iter(source.kept(environment, session)), None)


def complete(
    root: Span, agent: str, path: Path, text: Callable[[str], str], covers: Callable[[int], bool]
) -> None:
    """Add to a root span the events that a transcript tells and the wire did not show.

    Args:
        root: with the events that are known.
        agent: the adapter's name.
        path: the transcript.
        text: stores a long text and returns the reference to it.
        covers: tells whether what happened at a moment may be kept.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path}: more than {LARGEST} bytes")
    file = TranscriptFile(path, wire.Notes())
    known = Counter(_key(event, text) for event in root.events)
    added = []
    for event in _told(sources.SOURCES[agent].read(file, ()), text):
        if event.time < root.start or not covers(event.time):
            continue
        key = _key(event, text)
        if known[key] > 0:
            known[key] -= 1
        else:
            added.append(event)
    root.events = sorted([*root.events, *added], key=lambda event: event.time)


def tell(
    root: Span,
    agent: str,
    environment: Mapping[str, str],
    text: Callable[[str], str],
    covers: Callable[[int], bool],
) -> list[str]:
    """Complete a root span by the transcript of its session, if there is one.

    Returns:
        Why that was not possible, if it was not, as a line for the user.
    """
    path = find(agent, environment, str(root.attributes.get(semconv.CONVERSATION_ID, "")))
    if path is None:
        return []
    try:
        complete(root, agent, path, text, covers)
    except (OSError, ValueError) as error:
        return [f"the agent's transcript was not read: {error}"]
    return []


def _told(found: Iterator[events.Event], text: Callable[[str], str]) -> Iterator[Event]:
    for event in found:
        if event.agent_id:
            continue
        if isinstance(event, events.Happened):
            yield _event(event.name, event.time, event.content, text)
        elif isinstance(event, events.Said) and event.prompt and not event.copied:
            yield _event(PROMPT_EVENT, event.time, event.prompt, text)


def _event(name: str, time: int, content: str, text: Callable[[str], str]) -> Event:
    content = content.strip()
    told: Attributes = {semconv.EVENT_FROM: "transcript"}
    if len(content) > _INLINE:
        told[semconv.REF + _CONTENT] = text(content)
    elif content:
        told[_CONTENT] = content
    return Event(name, time, told)


def _key(event: Event, text: Callable[[str], str]) -> tuple[str, str]:
    """Return what makes two events the same: the first prompt stands whole, however long."""
    content = str(event.attributes.get(_CONTENT, "")).strip()
    reference = event.attributes.get(semconv.REF + _CONTENT)
    if reference is None and len(content) > _INLINE:
        reference = text(content)
    return event.name, str(reference or content)
