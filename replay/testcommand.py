"""The command that runs the tests: as a person wrote it, or as a recorded script has it.

By words alone. What a command runs, and what came of it, is not known here.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import msgspec

from traceproof.recorder.testruns.runners import Runner, find
from traceproof.recorder.testruns.words import Command, Script, parse
from traceproof.recorder.testruns.wrappers import unwrap

_BEYOND_WORDS = re.compile(r"[$`*~{}()\n]")
"""What a shell must make sense of."""

_JOINED = re.compile(r"[;&|<>]+")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_CLUSTER = re.compile(r"-[xvqsl]*x[xvqsl]*")
_SET_ASIDE = re.compile(
    r"-x|--exitfirst|--maxfail(?:=.*)?|--lf|--last-failed|--ff|--failed-first|--nf|--new-first"
    r"|--sw|--stepwise|--pdb|-n\w*|--numprocesses(?:=.*)?|--dist(?:=.*)?"
)
_WITH_VALUE = frozenset(("--maxfail", "-n", "--numprocesses", "--dist"))
_FAIL_FAST = frozenset(("-f", "--failfast"))


class TestCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command, the folder that it runs in, and what is added to its environment."""

    __test__ = False  # pytest collects what is called like this

    argv: tuple[str, ...]
    folder: str = ""
    """Relative to the workspace; empty: the workspace itself."""
    environment: dict[str, str] = {}

    @property
    def runner(self) -> str:
        """Which runner it is, by its words: `pytest`, `unittest`; empty: none that they show."""
        if self.argv[:2] == ("sh", "-c"):
            found = [_runner(_argv(one)) for one in find(parse(self.argv[2]))]
            return next(filter(None, found), "")
        return _runner(self.argv)

    def __str__(self) -> str:
        """Return it as one would type it."""
        cd = f"cd {shlex.quote(self.folder)} && " if self.folder else ""
        assigned = "".join(f"{k}={shlex.quote(v)} " for k, v in self.environment.items())
        if self.argv[:2] == ("sh", "-c") and len(self.argv) == 3 and not cd + assigned:  # noqa: PLR2004
            return self.argv[2]
        return cd + assigned + shlex.join(self.argv)


def from_option(text: str) -> TestCommand:
    """Read the command that a person gave: as it stands, by a shell where it needs one.

    Raises:
        ValueError: it is empty, or a quotation mark is left open.
    """
    if not text.strip():
        raise ValueError("the test command is empty: --tests 'pytest -q', for instance")
    try:
        words = list(shlex.shlex(text, posix=True, punctuation_chars=";&|<>"))
        plain = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"the test command {text!r} cannot be read: {error}") from None
    joints = [word for word in words if _JOINED.fullmatch(word)]
    folder = ""
    if joints == ["&&"] and plain[:1] == ["cd"] and plain[2:3] == ["&&"]:
        folder, plain, joints = plain[1], plain[3:], []
    if joints or _BEYOND_WORDS.search(text) or not _inside(folder):
        return TestCommand(argv=("sh", "-c", text))
    environment = dict(_assigned(plain))
    argv = tuple(plain[len(environment) :])
    if not argv:
        raise ValueError(f"the test command {text!r} runs nothing")
    return TestCommand(argv=argv, folder=_folder(folder), environment=environment)


def from_script(text: str, folder: str, root: str) -> TestCommand | None:
    """Read the tests' command out of a recorded script: without what it is wrapped in.

    `cd`s before it and variables set for it are kept; pipes behind it are not, nor are programs
    that only start another one (`timeout`, `uv run`), the path of an interpreter, and options by
    which a run stops early, begins with the last failures or is spread over processes.

    Args:
        text: what a shell was given.
        folder: where it ran.
        root: where the workspace was.

    Returns:
        The command; None where the script runs no tests that its words would show.
    """
    script = parse(text)
    runners = find(script)
    if not runners:
        return None
    runner = next((runner for runner in runners if runner.certain), runners[0])
    argv = _argv(runner)
    place = _relative(_place(script, runner.command, folder), root)
    if not argv or place is None:
        return None
    return TestCommand(
        argv=tuple(_localised(word, root, place) for word in argv),
        folder=place,
        environment=dict(runner.command.assigned),
    )


def _runner(argv: Sequence[str]) -> str:
    words = [word.rpartition("/")[2] for word in argv[:3]]
    if words[:1] in (["pytest"], ["py.test"]):
        return "pytest"
    module = words[2] if len(words) > 2 and words[0][:2] == "py" and words[1] == "-m" else ""  # noqa: PLR2004
    return module if module in ("pytest", "unittest") else ""


def _assigned(words: list[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if not _ASSIGNED.match(word):
            return
        name, _, value = word.partition("=")
        yield name, value


def _inside(folder: str) -> bool:
    return not folder.startswith("/") and ".." not in PurePosixPath(folder).parts


def _folder(path: str) -> str:
    cleaned = os.path.normpath(path) if path else ""
    return "" if cleaned == "." else cleaned


def _place(script: Script, wanted: Command, folder: str) -> str:
    """Return the folder that a command of a script runs in, as far as `cd`s tell."""
    for command in script.commands():
        if command is wanted:
            break
        match command.words:
            case ["cd" | "pushd", path]:
                folder = os.path.normpath(PurePosixPath(folder, path))
    return folder


def _relative(path: str, root: str) -> str | None:
    """Return a folder as seen from the workspace; None where it is not in it."""
    try:
        return _folder(str(PurePosixPath(os.path.normpath(path)).relative_to(root)))
    except ValueError:
        return None


def _argv(runner: Runner) -> list[str]:
    words = unwrap(runner.command.words).words
    if words[:1] == ["-m"]:
        words = ["python", *words]
    if "pytest" in words[:3]:
        return list(_whole(words))
    if "unittest" in words[:3]:
        return [word for word in words if word not in _FAIL_FAST]
    return words


def _whole(words: list[str]) -> Iterator[str]:
    """Yield a pytest command's words but those by which it would run only a part."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif _CLUSTER.fullmatch(word):
            left = word.replace("x", "")
            if left != "-":
                yield left
        elif _SET_ASIDE.fullmatch(word):
            skip = word in _WITH_VALUE
        else:
            yield word


def _localised(word: str, root: str, place: str) -> str:
    """Name what is in the workspace from the folder the command runs in."""
    if not root or not word.startswith(root.rstrip("/") + "/"):
        return word
    return os.path.relpath(word, PurePosixPath(root, place))
