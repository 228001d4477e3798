"""Programs that run another one: `env`, `timeout`, `uv run`, `npx`, a shell with `-c`.

Only words are looked at; what a wrapper would do is not known here.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import NamedTuple

_ASSIGN = re.compile(r"[A-Za-z_]\w*=")
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "ash"))
_SHELL_VALUES = frozenset(("-o", "+o", "-O", "+O", "--rcfile", "--init-file"))
_ROUNDS = 10


class Wrapper(NamedTuple):
    """How a wrapper's command line is read.

    `sub` are the words that must come first (`run` of `uv run`); `values` the options whose value
    is the next word; `skip` the operands before the command. `elsewhere` says that the command
    gets another environment than the wrapper's.
    """

    values: frozenset[str] = frozenset()
    sub: tuple[str, ...] = ()
    skip: int = 0
    elsewhere: bool = False


class Unwrapped(NamedTuple):
    """What a command line comes to: words, or the script of a shell; `here` as for `Wrapper`."""

    words: list[str]
    script: str | None = None
    here: bool = True


def _values(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UV = _values(
    "--with --python -p --extra --group --package --env-file --project --directory --index "
    "--with-requirements --with-editable --only-group --no-group --no-extra --config-file "
    "--index-url --extra-index-url --default-index --cache-dir --color --link-mode --resolution"
)
_DOCKER = _values(
    "-e --env --env-file -w --workdir -u --user -v --volume --name --network --entrypoint -p "
    "--publish --mount --platform -m --memory --cpus -f --file --project-name --index"
)
_NPM = _values("-p --package --prefix -w --workspace --filter -F -C --dir --cwd")

WRAPPERS: dict[str, tuple[Wrapper, ...]] = {
    "env": (Wrapper(_values("-u --unset -C --chdir")),),
    "timeout": (Wrapper(_values("-k --kill-after -s --signal"), skip=1),),
    "gtimeout": (Wrapper(_values("-k --kill-after -s --signal"), skip=1),),
    "nice": (Wrapper(_values("-n --adjustment")),),
    "ionice": (Wrapper(_values("-c -n --class --classdata")),),
    "stdbuf": (Wrapper(_values("-i -o -e --input --output --error")),),
    "taskset": (Wrapper(_values("-c"), skip=0),),
    "xvfb-run": (Wrapper(_values("-s --server-args -n --server-num -e -f -w")),),
    "sudo": (Wrapper(_values("-u -g -C -h -p -D --user --group --chdir"), elsewhere=True),),
    "xargs": (Wrapper(_values("-n -P -I -L -d -s -a -E")),),
    "exec": (Wrapper(_values("-a")),),
    "faketime": (Wrapper(_values("-f"), skip=1),),
    "dotenv": (Wrapper(_values("-f -e"), sub=("run",)), Wrapper(_values("-f -e"))),
    "direnv": (Wrapper(sub=("exec",), skip=1),),
    "mise": (Wrapper(sub=("exec",)), Wrapper(sub=("x",))),
    "uv": (Wrapper(_UV, sub=("run",)), Wrapper(_UV, sub=("tool", "run"))),
    "uvx": (Wrapper(_UV | {"--from"}),),
    "pipx": (Wrapper(_values("--spec --python"), sub=("run",)),),
    "poetry": (Wrapper(_values("-C --directory -P --project"), sub=("run",)),),
    "pipenv": (Wrapper(sub=("run",)),),
    "pdm": (Wrapper(_values("-p --project"), sub=("run",)),),
    "rye": (Wrapper(_values("--pyproject"), sub=("run",)),),
    "pixi": (Wrapper(_values("-e --environment --manifest-path"), sub=("run",)),),
    "conda": (Wrapper(_values("-n --name -p --prefix --cwd"), sub=("run",)),),
    "mamba": (Wrapper(_values("-n --name -p --prefix --cwd"), sub=("run",)),),
    "micromamba": (Wrapper(_values("-n --name -p --prefix --cwd"), sub=("run",)),),
    "npx": (Wrapper(_NPM),),
    "bunx": (Wrapper(_NPM),),
    "npm": (Wrapper(_NPM, sub=("exec",)), Wrapper(_NPM, sub=("x",))),
    "pnpm": (Wrapper(_NPM, sub=("exec",)), Wrapper(_NPM, sub=("dlx",))),
    "yarn": (Wrapper(_NPM, sub=("exec",)), Wrapper(_NPM, sub=("dlx",))),
    "bun": (Wrapper(sub=("x",)),),
    "bundle": (Wrapper(sub=("exec",)),),
    "docker": (
        Wrapper(_DOCKER, sub=("exec",), skip=1, elsewhere=True),
        Wrapper(_DOCKER, sub=("run",), skip=1, elsewhere=True),
        Wrapper(_DOCKER, sub=("compose", "exec"), skip=1, elsewhere=True),
        Wrapper(_DOCKER, sub=("compose", "run"), skip=1, elsewhere=True),
    ),
    **{name: (Wrapper(),) for name in ("nohup", "time", "command", "builtin", "setsid", "chronic")},
}
WRAPPERS["podman"] = WRAPPERS["docker"]
WRAPPERS["docker-compose"] = (
    Wrapper(_DOCKER, sub=("exec",), skip=1, elsewhere=True),
    Wrapper(_DOCKER, sub=("run",), skip=1, elsewhere=True),
)


def unwrap(words: list[str]) -> Unwrapped:
    """Take wrappers off a command line, and bring `python -m x` to `-m x`.

    Returns:
        The words of the innermost command: the first is its name without its folder, or `-m` and a
        module. Empty where a wrapper runs nothing.
    """
    here = True
    for _ in range(_ROUNDS):
        if not words:
            break
        name = PurePath(words[0]).name
        words = [name, *words[1:]]
        if name == "eval":
            return Unwrapped([], " ".join(words[1:]), here)
        if name in _SHELLS:
            script = _shell_script(words[1:])
            rest = _operands(words[1:], _SHELL_VALUES)
            return Unwrapped([PurePath(rest[0]).name, *rest[1:]] if rest else [], script, here)
        if _PYTHON.fullmatch(name) or (name == "coverage" and words[1:2] == ["run"]):
            words = _python(words)
            if words[:1] == ["-m"] and words[1:2] == ["coverage"]:
                words = words[1:]
                continue
            break
        wrapper, rest = _wrapper(name, words[1:])
        if wrapper is None:
            break
        here = here and not wrapper.elsewhere
        words = rest
        if words[:1] == ["-m"]:  # uv run -m pytest
            break
    return Unwrapped(words, None, here)


def _wrapper(name: str, rest: list[str]) -> tuple[Wrapper | None, list[str]]:
    for wrapper in WRAPPERS.get(name, ()):
        words = _operands(rest, wrapper.values) if wrapper.sub else rest
        if tuple(words[: len(wrapper.sub)]) != wrapper.sub:
            continue
        words = _operands(words[len(wrapper.sub) :], wrapper.values)
        words = words[wrapper.skip :]
        while words and (_ASSIGN.match(words[0]) or words[0] == "--"):
            words = words[1:]
        return wrapper, words
    return None, []


def _operands(words: list[str], values: frozenset[str]) -> list[str]:
    """Return the words from the first operand on; `-m` counts as one, and so does what follows."""
    at = 0
    while at < len(words) and words[at].startswith(("-", "+")) and words[at] not in ("-", "-m"):
        if words[at] == "--":
            return words[at + 1 :]
        at += 2 if words[at] in values else 1
    while at < len(words) and _ASSIGN.match(words[at]):
        at += 1
    return words[at:]


def _shell_script(words: list[str]) -> str | None:
    """Return what a shell was given after `-c`."""
    given = False
    at = 0
    while at < len(words) and words[at][:1] in ("-", "+") and words[at] not in ("-", "--"):
        word = words[at]
        given = given or (word[0] == "-" and word[1:2] != "-" and "c" in word)
        at += 2 if word in _SHELL_VALUES else 1
    at += words[at : at + 1] == ["--"]
    return words[at] if given and at < len(words) else None


def _python(words: list[str]) -> list[str]:
    """Return `-m module …`, or the program file and its arguments."""
    at = 2 if words[0] == "coverage" else 1
    values = {"-X", "-W", "--check-hash-based-pycs", "--source", "--rcfile", "--include", "--omit"}
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "-m":
            return words[at:]
        if words[at].startswith("-m") and words[at][2:]:
            return ["-m", words[at][2:], *words[at + 1 :]]
        if words[at] in ("-c", "-"):
            return []
        at += 2 if words[at] in values else 1
    return ["python", *words[at:]] if words[at:] else []
