"""The texts of a message, and what in them a person said."""

from __future__ import annotations

from collections.abc import Callable

from traceproof.recorder.messages import Message


def texts(message: Message) -> list[str]:
    """Return the texts of a message, in order."""
    found = (part.get("content") for part in message.parts if part.get("type") == "text")
    return [text for text in found if isinstance(text, str)]


def prompt(message: Message, said_by_user: Callable[[str], str] = str) -> str:
    """Return what a person said: of each text what `said_by_user` leaves of it."""
    return "\n\n".join(filter(None, map(said_by_user, texts(message))))
