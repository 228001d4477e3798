"""Tells whether a shell command needs a network, by its words alone.

What a program does by itself is not seen: such a step is run, and differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from traceproof.recorder.testruns.words import parse
from traceproof.recorder.testruns.wrappers import WRAPPERS, unwrap

_HERE = re.compile(
    r"(?:\w+://)?(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1\]?)(?:[:/]|$)"
)
_REMOTE = re.compile(r"^(?:\w+://|[\w.-]+@[\w.-]+:|[\w.-]+\.[a-z]{2,}[:/])")
_ASKS_ITSELF = frozenset(("--help", "-h", "--version", "-V", "help", "version", "--dry-run"))
_ANY = frozenset((
    "ssh", "scp", "sftp", "ftp", "telnet", "nc", "ncat", "ping", "ping6", "traceroute", "dig",
    "nslookup", "host", "whois", "rclone", "aws", "gcloud", "az", "gsutil", "kubectl", "helm",
    "gh", "glab", "hub", "heroku", "flyctl", "vercel", "netlify", "aria2c", "lynx", "w3m", "http",
    "https", "youtube-dl", "yt-dlp", "hf", "huggingface-cli", "kaggle", "wandb", "s3cmd", "mosh",
))  # fmt: skip
"""Programs that do nothing without one."""
_SUB = {
    "git": "clone fetch pull push ls-remote",
    "pip": "install download wheel index search",
    "uv": "sync add lock self venv-install",
    "npm": "install i ci add update upgrade publish audit outdated view info search login exec x",
    "pnpm": "install i add update up publish audit outdated dlx",
    "yarn": "install add up upgrade publish audit outdated dlx",
    "bun": "install i add update x",
    "apt": "install update upgrade full-upgrade download build-dep",
    "dnf": "install update upgrade download makecache",
    "apk": "add update upgrade fetch",
    "brew": "install update upgrade fetch search info",
    "pacman": "-S -Sy -Syu",
    "cargo": "install fetch update publish search add",
    "rustup": "update install toolchain target component",
    "go": "get install",
    "gem": "install update fetch push search",
    "bundle": "install update",
    "composer": "install update require",
    "poetry": "install add update lock publish",
    "pdm": "install add update lock sync publish",
    "pipenv": "install sync update lock",
    "pipx": "install upgrade inject",
    "conda": "install create update search",
    "docker": "pull push login search",
    "mvn": "dependency:resolve dependency:go-offline deploy",
    "terraform": "init",
    "svn": "checkout co update up commit",
    "hg": "clone pull push",
}
_ALIASES = {
    "pip3": "pip", "apt-get": "apt", "aptitude": "apt", "yum": "dnf", "mamba": "conda",
    "micromamba": "conda", "podman": "docker",
}  # fmt: skip
_SUBS = {name: frozenset(words.split()) for name, words in _SUB.items()}
_PAIRS = {
    ("git", "remote", "update"), ("git", "submodule", "update"), ("git", "submodule", "add"),
    ("go", "mod", "download"), ("go", "mod", "tidy"), ("uv", "pip", "install"),
    ("uv", "pip", "sync"), ("uv", "pip", "compile"), ("uv", "python", "install"),
    ("uv", "tool", "install"),
}  # fmt: skip
_RUNS_OTHERS = frozenset(("npx", "bunx", "uvx"))
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_VALUES = frozenset(("-C", "-c", "--prefix", "--directory", "--git-dir", "--work-tree"))


def reach(text: str) -> str:
    """Return the words by which a script reaches for a network; empty where none are seen."""
    return _in_script(text, 0)


def _in_script(text: str, depth: int) -> str:
    for command in parse(text).commands():
        for words in _lines(command.words):
            found = _needs(words)
            if found:
                return found
        unwrapped = unwrap(command.words)
        inner = unwrapped.script if depth < 4 else None  # noqa: PLR2004 - deep enough
        if inner and (found := _in_script(inner, depth + 1)):
            return found
    return ""


def _lines(words: Sequence[str]) -> list[list[str]]:
    """Return a command line, and what it runs where it runs another one."""
    first = _name(words)
    inner = unwrap(list(words)).words if first in WRAPPERS else []
    return [list(words), inner]


def _needs(words: Sequence[str]) -> str:
    name = _name(words)
    rest = list(words[1:])
    if _PYTHON.fullmatch(name) and rest[:1] == ["-m"]:
        return _needs(rest[1:])
    if not name or _ASKS_ITSELF & set(rest):
        return ""
    name = _ALIASES.get(name, name)
    if name in _RUNS_OTHERS or name in _ANY:
        return name
    return _fetcher(name, rest) or _tool(name, rest)


def _fetcher(name: str, rest: Sequence[str]) -> str:
    test = _FETCHERS.get(name)
    return name if test is not None and test(rest) else ""


def _elsewhere(rest: Sequence[str]) -> bool:
    """Tell whether a URL is asked for that is not of this machine."""
    operands = [word for word in rest if not word.startswith("-")]
    named = [word for word in operands if "." in word or "://" in word or "localhost" in word]
    return not (named and all(_HERE.match(word) or word.startswith("/") for word in named))


def _has_remote(rest: Sequence[str]) -> bool:
    return any(re.match(r"^(?:[\w.-]+@)?[\w.-]+:", word) for word in rest if word[:1] != "-")


_FETCHERS: dict[str, Callable[[Sequence[str]], bool]] = {
    "curl": _elsewhere, "wget": _elsewhere, "rsync": _has_remote,
}  # fmt: skip


def _tool(name: str, rest: Sequence[str]) -> str:
    operands = _operands(rest)
    wanted = _SUBS.get(name, frozenset())
    pair = (name, *operands[:2])
    if pair in _PAIRS:
        return " ".join(pair)
    sub = operands[0] if operands else next(iter(wanted & set(rest)), "")
    if sub not in wanted or _from_here(name, sub, operands[1:], rest):
        return ""
    return f"{name} {sub}"


def _from_here(name: str, sub: str, operands: Sequence[str], rest: Sequence[str]) -> bool:
    """Tell whether what is asked for lies on this machine."""
    if name == "pip":
        return "--no-index" in rest
    if name == "git" and sub == "clone":
        return bool(operands) and not _REMOTE.match(operands[0])
    return "--offline" in rest


def _operands(rest: Sequence[str]) -> list[str]:
    found: list[str] = []
    skip = False
    for word in rest:
        if skip:
            skip = False
        elif word in _VALUES:
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def _name(words: Sequence[str]) -> str:
    return PurePath(words[0]).name if words else ""
