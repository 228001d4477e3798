"""Takes a shell script apart, so far that one sees which commands it runs and how they are tied.

The POSIX grammar with bash's commonest additions, read with forgiveness: what cannot be understood
(an open quotation mark, say) ends the script early and never raises. Nothing is expanded: a `$x`
stays a `$x`. Compound commands are read through, and marked: what they end with is not told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_SCRIPT = 1 << 18
"""Characters of a script that are looked at."""

_DEPTH = 12
"""How deep substitutions and groups may be nested."""

_BLANK = " \t\r"
_OPERATOR = re.compile(r"&&|\|\||;;&|;;|;&|\|&|[;&|()\n]")
_REDIRECT = re.compile(r"(?:\d+|\{\w+\})?(?:<<<|<<-?|>>|>&|<&|>\||<>|[<>])|&>>?")
_ASSIGN = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=")
_OPENING = frozenset(("if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"))
_CLOSING = frozenset(("fi", "done", "esac", "}"))
_COMPOUND = _OPENING | _CLOSING | {"for", "case", "select", "function", "coproc"} - {"time"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(eq=False)
class Command:
    """A simple command: its words without assignments and redirections, quotes taken off."""

    words: list[str] = field(default_factory=list)
    assigned: dict[str, str] = field(default_factory=dict)
    inner: Script | None = None
    """What a group `( … )` runs; such a command has no words."""
    substituted: list[Script] = field(default_factory=list)
    """What its `$( … )` run; their exit codes are not its own."""


@dataclass(eq=False)
class Pipeline:
    """Commands joined by pipes, and what ties it to the one before: `;`, `&&` or `||`."""

    commands: list[Command]
    tie: str = ";"
    background: bool = False
    negated: bool = False


@dataclass(eq=False)
class Script:
    """Pipelines in a row; `compound` where `if`, loops or functions were read through."""

    pipelines: list[Pipeline] = field(default_factory=list)
    compound: bool = False

    def commands(self) -> Iterator[Command]:
        """Yield every simple command in it, those in groups and substitutions too."""
        for pipeline in self.pipelines:
            for command in pipeline.commands:
                for within in (command.inner, *command.substituted):
                    if within is not None:
                        yield from within.commands()
                if command.words or command.assigned:
                    yield command


def parse(text: str) -> Script:
    """Read a script; what follows something unreadable is left out."""
    return _Reader(text[:MAX_SCRIPT], 0).script()


class _Reader:
    """Reads one text once, from left to right."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._at = 0
        self._depth = depth
        self._heredocs: list[tuple[str, bool]] = []

    def script(self, *, group: bool = False) -> Script:
        """Read pipelines up to the end, or up to the bracket that closes the group."""
        script, tie = Script(), ";"
        while self._at < len(self._text):
            pipeline, ended_by = self._pipeline(script)
            if pipeline.commands:
                pipeline.tie = tie
                pipeline.background = ended_by == "&"
                script.pipelines.append(pipeline)
            if ended_by == ")" and group:
                break
            tie = ended_by if ended_by in ("&&", "||") else tie if not pipeline.commands else ";"
            if not ended_by:
                break
        return script

    def _pipeline(self, script: Script) -> tuple[Pipeline, str]:
        pipeline = Pipeline([])
        while True:
            command = Command()
            ended_by = self._command(command, script, pipeline)
            if command.words or command.assigned or command.inner or command.substituted:
                pipeline.commands.append(command)
            if ended_by not in ("|", "|&"):
                return pipeline, ended_by

    def _command(self, command: Command, script: Script, pipeline: Pipeline) -> str:
        """Read one command; return the operator that ended it, "" at the end of the text."""
        while True:
            self._blanks()
            if self._at >= len(self._text):
                return ""
            if redirect := _REDIRECT.match(self._text, self._at):
                self._redirect(redirect.group(), command)
                continue
            if operator := _OPERATOR.match(self._text, self._at):
                self._at = operator.end()
                if operator.group() == "\n":
                    self._skip_heredocs()
                if operator.group() != "(":
                    return operator.group()
                self._open(command, script)
                continue
            word, quoted = self._word(command)
            self._take(word, quoted=quoted, command=command, script=script, pipeline=pipeline)

    def _open(self, command: Command, script: Script) -> None:
        if command.words:  # f() …: a function is defined, not run
            script.compound = True
            command.words.clear()
            return
        self._depth += 1
        if self._depth > _DEPTH:
            self._at = len(self._text)
            return
        command.inner = self.script(group=True)
        self._depth -= 1

    def _take(
        self, word: str, *, quoted: bool, command: Command, script: Script, pipeline: Pipeline
    ) -> None:
        if not quoted and not command.words and not command.assigned:
            if word in _COMPOUND and word not in ("!", "{", "}"):
                script.compound = True
            if word == "!":
                pipeline.negated = True
            if word in _OPENING or word in _CLOSING:
                return
        if not command.words and (assign := _ASSIGN.match(word)):
            command.assigned[assign.group().rstrip("+=")] = word[assign.end() :]
            return
        command.words.append(word)

    def _redirect(self, operator: str, command: Command) -> None:
        self._at += len(operator)
        self._blanks()
        word, _ = self._word(command)
        if operator.endswith(("<<", "<<-")):
            self._heredocs.append((word, operator.endswith("-")))

    def _skip_heredocs(self) -> None:
        for mark, indented in self._heredocs:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if indented else line) == mark:
                    break
        self._heredocs.clear()

    def _blanks(self) -> None:
        text, at = self._text, self._at
        while at < len(text):
            if text[at] in _BLANK:
                at += 1
            elif text.startswith("\\\n", at):
                at += 2
            elif text[at] == "#":
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
            else:
                break
        self._at = at

    def _word(self, command: Command) -> tuple[str, bool]:
        """Read a word; tell whether any of it was quoted."""
        parts: list[str] = []
        quoted = False
        text, start = self._text, self._at
        while self._at < len(text):
            letter = text[self._at]
            if letter in " \t\r\n;&|()<>":
                break
            if letter in "'\"\\":
                quoted = True
            parts.append(self._piece(letter, command))
        if self._at == start:  # nothing a word can begin with: a stray bracket after a redirection
            self._at += 1
        return "".join(parts), quoted

    def _piece(self, letter: str, command: Command) -> str:
        text = self._text
        self._at += 1
        if letter == "\\":
            taken = text[self._at : self._at + 1]
            self._at += 1
            return "" if taken == "\n" else taken
        if letter == "'":
            return self._until("'")
        if letter == '"':
            return self._double(command)
        if letter == "`":
            return self._backticks(command)
        if letter == "$":
            return self._dollar(command)
        return letter

    def _until(self, mark: str) -> str:
        end = self._text.find(mark, self._at)
        end = len(self._text) if end < 0 else end
        found = self._text[self._at : end]
        self._at = end + len(mark)
        return found

    def _double(self, command: Command) -> str:
        parts: list[str] = []
        text = self._text
        while self._at < len(text) and text[self._at] != '"':
            letter = text[self._at]
            if letter == "\\":
                taken = text[self._at + 1 : self._at + 2]
                parts.append({"\n": ""}.get(taken, taken if taken in '$`"\\' else "\\" + taken))
                self._at += 2
            elif letter in "`$":
                parts.append(self._piece(letter, command))
            else:
                parts.append(letter)
                self._at += 1
        self._at += 1
        return "".join(parts)

    def _dollar(self, command: Command) -> str:
        text = self._text
        following = text[self._at : self._at + 1]
        if following == "'":
            return self._ansi()
        if following == "{":
            return "$" + self._until("}") + "}"
        if text.startswith("((", self._at):
            self._until("))")
            return "$((…))"
        if following == "(":
            self._at += 1
            self._substitute(command)
            return "$(…)"
        return "$"

    def _ansi(self) -> str:
        """Read `$'…'`, in which a backslash keeps a quotation mark from ending it."""
        start = self._at = self._at + 1
        while self._at < len(self._text) and self._text[self._at] != "'":
            self._at += 2 if self._text[self._at] == "\\" else 1
        found = self._text[start : self._at]
        self._at += 1
        escapes = {"n": "\n", "t": "\t", "r": "\r"}
        return _ESCAPED.sub(lambda match: escapes.get(match[1], match[1]), found)

    def _substitute(self, command: Command) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            self._at = len(self._text)
            return
        heredocs, self._heredocs = self._heredocs, []
        command.substituted.append(self.script(group=True))
        self._heredocs = heredocs
        self._depth -= 1

    def _backticks(self, command: Command) -> str:
        inner = self._until("`")
        if self._depth < _DEPTH:
            command.substituted.append(_Reader(inner, self._depth + 1).script())
        return "$(…)"
