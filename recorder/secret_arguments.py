"""Finding the secrets on a command line: `--api-key KEY`, `TOKEN=…`, headers, JSON, scripts.

A prompt stands on the command line too, so words with spaces in them are looked into only for what
is a credential by its form: a key's shape, a URL's password, a header, a shell's script.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from traceproof.recorder.credential_names import is_sure, is_telling
from traceproof.recorder.credential_values import is_wordy
from traceproof.recorder.patterns import KEY_SHAPES
from traceproof.recorder.secret_files import from_credentials_json
from traceproof.recorder.secrets import (
    Secret,
    from_headers,
    from_variables,
    is_path,
    maskable,
    parts,
    passwords,
)

_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)")
_ASSIGNMENT = re.compile(r"(--?)?([A-Za-z_][\w.-]*)=(.+)", re.DOTALL)
_HEADER = re.compile(r"([A-Za-z][\w-]*):\s+((?:\w+\s+)?\S+)")
_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "zsh"}
_SCRIPT = re.compile(r"-[a-z]*c")


def from_arguments(arguments: Sequence[str]) -> list[Secret]:
    """Find the secrets of a command and its arguments."""
    return maskable(_from_words(list(arguments)))


def _from_words(words: list[str]) -> Iterator[Secret]:
    shell = False
    for before, word in zip(["", *words], words, strict=False):
        shell = shell or PurePath(word).name in _SHELLS
        if shell and _SCRIPT.fullmatch(before):
            yield from _from_words(_split(word))
        if (option := _OPTION.fullmatch(before)) and not word.startswith("-"):
            yield from _from_option(option[1], word)
        yield from _from_word(word)


def _split(script: str) -> list[str]:
    try:
        words = shlex.shlex(script, posix=True, punctuation_chars=True)
        words.whitespace_split, words.commenters = True, ""
        return list(words)
    except ValueError:
        return script.split()


def _from_option(name: str, value: str) -> Iterator[Secret]:
    if name.lower().startswith("no-") or is_path(value):
        return
    if is_sure(name) or (is_telling(name) and not is_wordy(value) and " " not in value):
        yield from parts(name, value)


def _from_word(word: str) -> Iterator[Secret]:
    assigned = _ASSIGNMENT.fullmatch(word)
    text = assigned[3] if assigned else word
    if assigned and assigned[1]:
        yield from _from_option(assigned[2], text)
    elif assigned and not any(map(str.isspace, text)):
        yield from from_variables([(assigned[2], text)])
    if header := _HEADER.fullmatch(text):
        yield from from_headers([(header[1], header[2])])
    if text.lstrip().startswith("{"):
        yield from from_credentials_json(text)
    yield from (Secret("argument", password) for password in passwords(word))
    yield from _key_shapes(word)


def _key_shapes(word: str) -> Iterator[Secret]:
    data = word.encode(errors="surrogatepass")
    for rule in KEY_SHAPES:
        for start, end in rule.find(data, 0):
            yield Secret(rule.name, data[start:end].decode(errors="surrogatepass"))
