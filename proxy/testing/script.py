"""A script: scenes, and the turns of each. Pure data with its matching; `director.py` runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from traceproof.proxy.testing.faults import AnyFault
from traceproof.proxy.testing.parts import AnyPart, Say, Usage
from traceproof.proxy.testing.request import Request


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer of the model.

    `stop` is the provider's own word; without it, it follows from the parts. `piece` is how many
    characters (of text, or of a tool call's JSON) go into one event.
    """

    parts: Sequence[AnyPart]
    stop: str | None = None
    usage: Usage = Usage()
    faults: Sequence[AnyFault] = ()
    piece: int = 16


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """A matcher: every field that is given must hold."""

    model: str | None = None
    """The model's name contains this."""
    system: str | None = None
    """The system prompt contains this."""
    user: str | None = None
    """The first user message contains this."""
    last: str | None = None
    """The last message contains this; tool results count."""
    headers: dict[str, str | None] = {}
    """These headers (names in lower case) have these values; None: are not there."""
    tool: str | None = None
    """A tool of this name is offered."""
    side_call: bool | None = None
    """No tools are offered or a JSON schema is asked for; False: neither."""

    def __call__(self, request: Request) -> bool:
        """Tell whether the request is the one meant."""
        return (
            (self.model or "") in request.model
            and (self.system or "") in request.system
            and (self.user or "") in request.user
            and (self.last or "") in request.last
            and self.tool in (None, *request.tools)
            and self.side_call in (None, request.side_call)
            and all(request.header(name) == value for name, value in self.headers.items())
        )


ComputedTurn: TypeAlias = Callable[[Request], Turn]
Turns: TypeAlias = Sequence[Turn | ComputedTurn]


def anything(_request: Request) -> bool:
    """Match every request."""
    return True


@dataclass(frozen=True)
class Scene:
    """Turns for the conversations that `when` picks; each conversation goes through them by itself.

    After its last turn a scene has nothing to say, unless `repeat` lets it say that turn again.
    """

    turns: Turns | ComputedTurn
    when: Callable[[Request], bool] = anything
    name: str = ""
    repeat: bool = False


@dataclass(frozen=True)
class Script:
    """Scenes; the first whose matcher holds answers. `default` answers what no scene does."""

    scenes: Sequence[Scene] = ()
    default: Turn = field(default_factory=lambda: Turn([Say("OK")]))

    @classmethod
    def of(cls, what: Script | Turns | ComputedTurn) -> Script:
        """Make a script of a script, of the turns of one scene, or of a function."""
        return what if isinstance(what, Script) else cls([Scene(what)])


class SceneFile(msgspec.Struct, forbid_unknown_fields=True):
    """A scene in the file form."""

    turns: list[Turn]
    when: Match = Match()
    name: str = ""
    repeat: bool = False


class ScriptFile(msgspec.Struct, forbid_unknown_fields=True):
    """A script in the file form."""

    scenes: list[SceneFile]
    default: Turn | None = None


def from_data(data: Any) -> Script:
    """Make a script of decoded TOML or JSON.

    Raises:
        msgspec.ValidationError: The data is no script; the message says where and why.
    """
    read = msgspec.convert(data, ScriptFile)
    scenes = [Scene(each.turns, each.when, each.name, each.repeat) for each in read.scenes]
    return Script(scenes, read.default) if read.default else Script(scenes)
