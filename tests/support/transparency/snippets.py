"""Shell snippets as text: how they are written down, and what an agent does around them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from support.transparency.cells import CELLS, Cell

INPUT = b"one\ntwo\nthree four\n"

ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "SHELL": "/bin/bash",
    # Without it Debian's bash thinks that it runs under sshd.
    "SHLVL": "1",
    "TERM": "dumb",
}

_DATA_STREAMS = ("file", "append", "pipe", "socket")


@dataclass(frozen=True)
class Snippet:
    """A command line, and the world it is started in.

    Attributes:
        argv: The command line; `{}` stands for the script.
        order: Its place among all, which says on which cells it runs.
        core: Whether it runs on every cell.
        outlives: Whether processes of it write on after it has ended.
        hangs_up: Whether it ends while its background processes write: not on terminals, whose
            end is sent to them when it comes.
        deaf: Whether what is recorded is not all that is written, or more: the file is written
            to at places of its choice, or by others as well.
        unrecorded: Whether it is not recorded at all.
        steps: What the agent does meanwhile: a text to wait for, an action, its value. Text is
            waited for in what was written to pipes, sockets and terminals.
    """

    name: str
    script: str
    theme: str = ""
    order: int = 0
    shell: str = "bash"
    argv: tuple[str, ...] = ("{shell}", "-c", "{}")
    data: bytes = INPUT
    env: Mapping[str, str | bytes] = field(default_factory=dict)
    files: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    umask: int = 0o022
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    nice: int = 0
    ignored: Sequence[int] = ()
    blocked: Sequence[int] = ()
    alarm: float = 0
    deleted: bool = False
    descriptors: Sequence[int] = ()
    steps: Sequence[tuple[bytes, str, Any]] = ()
    ends: bool = True
    echo: bool = False
    core: bool = False
    outlives: bool = False
    deaf: bool = False
    unrecorded: bool = False
    only: Callable[[Cell], bool] = lambda _: True

    def __str__(self) -> str:
        return f"{self.theme}: {self.name}" if self.theme else self.name

    @property
    def cells(self) -> list[Cell]:
        """The cells that it makes sense on."""
        return [cell for cell in CELLS if self.only(cell)]

    def job(self) -> dict[str, Any]:
        """Return what the worker needs to know, but for the place to run it in."""
        words = {"{}": self.script, "{shell}": self.shell}
        argv = [words.get(word, word) for word in self.argv]
        return {
            "argv": [word.encode("latin-1") for word in argv],
            "env": {
                name.encode("latin-1"): text if isinstance(text, bytes) else text.encode()
                for name, text in {**ENVIRONMENT, **self.env}.items()
            },
            "data": self.data.replace(b"{}", self.script.encode("latin-1")),
            "files": {
                name: (content.replace(b"{}", self.script.encode("latin-1")), mode)
                for name, (content, mode) in self.files.items()
            },
            "umask": self.umask,
            "limits": {"RLIMIT_CORE": (0, 0), **self.limits},
            "nice": self.nice,
            "ignored": [int(number) for number in self.ignored],
            "blocked": [int(number) for number in self.blocked],
            "alarm": self.alarm,
            "deleted": self.deleted,
            "descriptors": list(self.descriptors),
            "steps": [(text, action, _plain(value)) for text, action, value in self.steps],
            "ends": self.ends,
            "echo": self.echo,
        }


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, signal.Signals) else value


def piped(cell: Cell) -> bool:
    """Tell whether output can be waited for, and reaches the agent as it was written."""
    return cell.stdout in ("pipe", "socket") and not cell.late


def calm(cell: Cell) -> bool:
    """Tell whether there is no terminal, which hangs up on what is left when its leader ends."""
    return not cell.terminal


def roomy(cell: Cell) -> bool:
    """Tell whether any number of bytes can be written before the agent reads one."""
    return not cell.late


def opened(cell: Cell) -> bool:
    """Tell whether there is output: what waits for what was never begun would wait for ever."""
    return "closed" not in (cell.stdout, cell.stderr)


def untyped(cell: Cell) -> bool:
    """Tell whether input is no terminal, which makes some programs interactive."""
    return cell.stdin != "pty"


def parse(text: str, **common: Any) -> list[Snippet]:
    """Return the snippets in a text.

    Each begins with a line `== name`, which may end with words in brackets: `core`, `dash`, `sh`,
    `outlives`, `deaf`, or one that says which cells it makes sense on: `calm`, `opened`, `piped`,
    `roomy`, `untyped`.
    """
    found = []
    for part in ("\n" + text).split("\n== ")[1:]:
        head, _, script = part.partition("\n")
        name, _, words = head.partition(" [")
        snippet = Snippet(name.strip(), script.rstrip("\n"), **common)
        for word in words.rstrip("]").split():
            snippet = _with(snippet, word)
        found.append(snippet)
    names = [snippet.name for snippet in found]
    assert len(names) == len(set(names)), names
    return found


def numbered(snippets: list[Snippet]) -> list[Snippet]:
    """Return snippets with their places among each other, so that they take cells in turn."""
    return [replace(snippet, order=number) for number, snippet in enumerate(snippets)]


def _with(snippet: Snippet, word: str) -> Snippet:
    if word in ("core", "outlives", "deaf", "unrecorded"):
        more: dict[str, Any] = {word: True}
        if word == "outlives":
            more["only"] = calm
        return replace(snippet, **more)
    if word in ("dash", "sh"):
        return replace(snippet, shell=word)
    if word in ("stdin", "script", "login"):
        return replace(snippet, **_WAYS[word])
    return replace(snippet, only=_PREDICATES[word])


_PREDICATES = {
    "calm": calm,
    "opened": opened,
    "piped": piped,
    "roomy": roomy,
    "untyped": untyped,
}

_WAYS: dict[str, dict[str, Any]] = {
    "stdin": {"argv": ("{shell}",), "data": b"{}\n"},
    "script": {
        "argv": ("{shell}", "script", "an", "argument"),
        "files": {"script": (b"{}\n", 0o755)},
    },
    "login": {"argv": ("-bash", "-c", "{}")},
}
