"""Tells whether a shell command is what a tool call asked for, by their texts alone.

Agents name the argument differently (`command`, `cmd`, a program in JavaScript), and put wrappers
of their own around the command: an `eval`, a trap, a second shell. Nothing here knows an agent.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property
from typing import Any

from traceproof.recorder.calls import ToolRequest

_NAMES = frozenset({"command", "cmd", "commands", "script", "shell_command", "code"})
"""What agents call the argument that a shell is to run."""

_WORD = r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\;&|<>()])+"""
_HANDED_ON = re.compile(rf"(?<![\w-])(?:eval|-[a-z]*c)[ \t]+({_WORD})", re.DOTALL)
"""A text that a wrapper hands on, as a word of the shell's: `eval '…'`, `bash -lc '…'`."""

_TAKEN_APART = 1 << 20
"""Characters up to which a wrapper is looked into; beyond that its text must be equal."""

_WITHIN = 6
"""Characters of a command, quotes and blanks left out, that say enough to be found in a text."""

_QUOTING = str.maketrans("", "", "'\"`\\ \t\r\n")


class Fit(IntEnum):
    """How surely a command is what was asked for; the higher the surer."""

    NONE = 0
    WITHIN = 1
    """The one stands somewhere within the other."""
    WRAPPED = 2
    """It is what a wrapper hands on, letter by letter."""
    EQUAL = 3


class Script:
    """What a shell was given to run."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()

    @cached_property
    def plain(self) -> str:
        """The text without what quoting changes."""
        return _plain(self.text)

    @cached_property
    def handed_on(self) -> frozenset[str]:
        """The texts that it hands on whole, to `eval` or another shell."""
        if len(self.text) > _TAKEN_APART:
            return frozenset()
        words = (shlex.split(found[1]) for found in _HANDED_ON.finditer(self.text))
        return frozenset(word.strip() for each in words for word in each)


class Wanted:
    """What a tool call asks a shell to run, as far as its arguments tell.

    `texts` are whole commands; a call may hold several, where each line is one. `program` is a text
    in some language that may run commands, "" where there is none.
    """

    def __init__(self, texts: tuple[str, ...], program: str = "", *, named: bool = True) -> None:
        """Want these; `named` says that they are commands, which an agent may put a wrapper around.

        Else a text has to be the same as the command, or to be handed on as it is.
        """
        self.texts = texts
        self.program = program
        self._named = named
        self._plain = [_plain(text) for text in texts]
        self._plain_program = _plain(program)

    def fit(self, script: Script) -> tuple[Fit, str]:
        """Return how well a script fits, and what of it was wanted ("" if nothing)."""
        best = (Fit.NONE, "")
        for text, plain in zip(self.texts, self._plain, strict=True):
            best = max(best, (self._one(text, plain, script), text), key=lambda found: found[0])
        if best[0] is Fit.NONE and self.program:
            within = (text for text in (script.text, *script.handed_on) if self._in_program(text))
            text = max(within, key=len, default="")
            return (Fit.WITHIN if text else Fit.NONE), text
        return best

    def room(self, text: str) -> int:
        """Return how many commands may have come of a text: as often as a program has it."""
        return 1 if text in self.texts else self._plain_program.count(_plain(text))

    def _in_program(self, text: str) -> bool:
        plain = _plain(text)
        return bool(plain) and plain in self._plain_program

    def _one(self, text: str, plain: str, script: Script) -> Fit:
        if text == script.text:
            return Fit.EQUAL
        if text in script.handed_on or (self._named and f"\n{text}\n" in script.text):
            return Fit.WRAPPED
        if self._named and len(plain) >= _WITHIN and plain in script.plain:
            return Fit.WITHIN
        return Fit.NONE


def wanted(request: ToolRequest) -> Wanted:
    """Read what a tool call asks a shell to run."""
    try:
        arguments = json.loads(request.arguments)
    except (ValueError, RecursionError):
        return Wanted((), request.arguments)
    if isinstance(arguments, str):
        return Wanted((), arguments)
    if not isinstance(arguments, dict):
        return Wanted(())
    named = [text for name in _NAMES & arguments.keys() for text in _texts(arguments[name])]
    if not named:
        others = [value for value in arguments.values() if isinstance(value, str)]
        return Wanted(_cleaned(others), named=False)
    if request.in_text:
        named += [line for text in list(named) for line in text.splitlines() if _is_command(line)]
        return Wanted(_cleaned(named), named=False)  # such agents have no wrappers
    return Wanted(_cleaned(named), "\n".join(named) if "code" in arguments else "")


def _texts(value: Any) -> Iterator[str]:
    """Yield a command; of one in words (`["bash", "-lc", "…"]`) the last, and all as a line."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        yield value[-1]
        yield shlex.join(value)


def _cleaned(texts: list[str]) -> tuple[str, ...]:
    """Return texts without the blanks around them, each once, empty ones left out."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, texts))))


def _is_command(line: str) -> bool:
    return not line.lstrip().startswith("#")


def _plain(text: str) -> str:
    return text.translate(_QUOTING)
