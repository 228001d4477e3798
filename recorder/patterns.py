"""Pattern rules: what a credential looks like when nobody knows its value.

Off by default, on with `record --redact patterns`: a shape is a guess, and a mask that covers a
test's fixture or a commit's hash is a loss. The values that are known for certain are the business
of `traceproof.recorder.redaction`.

A rule's `unfinished` lets a stream be masked in pieces: it says from where on more bytes could
still make or lengthen a match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

LONGEST = 16384
"""Bytes of one match at most; what goes on beyond that is not a credential."""

_BOUNDARY = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
"""Not within a word, where the `n` of a JSON string's `\\n` is no part of the word after it."""

CONTEXT = 16
"""Bytes before a match that a rule may look at: an escape, or `Bearer `."""


class Rule(Protocol):
    """One kind of credential, found by its shape; its mask reads `<SECRET:name>`."""

    name: str
    starts: tuple[str, ...]
    """What every match begins with, or is led by."""

    def find(self, data: bytes, start: int) -> Iterator[tuple[int, int]]:
        """Yield the matches as start and end; none begins before `start`."""

    def unfinished(self, data: bytes, start: int) -> int:
        """Return the offset from which on more bytes could change the matches, else the length."""


class TokenRule:
    """A fixed beginning and then a run of `least` or more bytes of a character class.

    `leads` marks a beginning that is not itself secret (`Bearer `) and is not masked. `dots` is how
    many a token has at least: a JWT begins like any other JSON in base64.
    """

    def __init__(
        self,
        name: str,
        prefixes: tuple[str, ...],
        body: str,
        least: int,
        *,
        leads: bool = False,
        dots: int = 0,
    ) -> None:
        self.name = name
        self.starts = prefixes
        starts = "|".join(re.escape(prefix) for prefix in prefixes)
        begun = "|".join(_begun(prefix) for prefix in prefixes)
        self._prefixes = tuple(prefix.encode() for prefix in prefixes)
        self._token = re.compile(
            _BOUNDARY + f"(?:{starts})([{body}]{{{least},{LONGEST}}})".encode()
        )
        self._growing = re.compile(
            _BOUNDARY + rf"(?:(?:{starts})[{body}]{{0,{LONGEST}}}|{begun})\Z".encode()
        )
        self._characters = _members(body) + "".join(prefixes).encode()
        self._leads = leads
        self._dots = dots

    def find(self, data: bytes, start: int) -> Iterator[tuple[int, int]]:
        """Yield the tokens, with their prefix unless it only leads to them."""
        for at in _occurrences(self._prefixes, data, max(0, start - CONTEXT)):
            match = self._token.match(data, at)
            if match and match[1].count(b".") >= self._dots:
                span = match.span(1) if self._leads else match.span()
                if span[0] >= start:
                    yield span

    def unfinished(self, data: bytes, start: int) -> int:
        """Look at the last run of this rule's characters only."""
        recent = max(start, len(data) - LONGEST - 64)
        run = recent + len(data[recent:].rstrip(self._characters))
        match = self._growing.search(data, run)
        return match.start() if match else len(data)


class PrivateKeyRule:
    """A PEM private key, to its end line; one whose end is missing, as far as it looks like one."""

    name = "PRIVATE_KEY"
    starts: tuple[str, ...] = ("-----BEGIN ",)
    _BEGIN = b"-----BEGIN "
    _LINE = rb"(?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    _BLOCK = re.compile(
        _BEGIN + _LINE + rb"(?P<body>[\s\S]{0,%d}?-----END " % LONGEST + _LINE + rb")?"
    )
    _CUT = re.compile(rb"[A-Za-z0-9+/=\\\s]{0,%d}" % LONGEST)
    _BEGUN = re.compile(rb"-(?:----BEGIN [A-Z0-9 ]{0,72}-{0,4}|-{0,4}(?:B(?:E(?:G(?:IN?)?)?)?)?)\Z")
    _WHOLE = LONGEST + 256

    def find(self, data: bytes, start: int) -> Iterator[tuple[int, int]]:
        """Yield the keys."""
        for match in self._blocks(data, start):
            cut = None if match["body"] else self._CUT.match(data, match.end())
            yield match.start(), cut.end() if cut else match.end()

    def _blocks(self, data: bytes, start: int) -> Iterator[re.Match[bytes]]:
        for at in _occurrences((self._BEGIN,), data, start):
            if match := self._BLOCK.match(data, at):
                yield match

    def unfinished(self, data: bytes, start: int) -> int:
        """Wait for the end line until there is no hope of one."""
        recent = max(start, len(data) - self._WHOLE)
        for match in self._blocks(data, recent):
            if not match["body"]:
                return match.start()
        begun = self._BEGUN.search(data, max(recent, len(data) - 128))
        return begun.start() if begun else len(data)


def _occurrences(prefixes: tuple[bytes, ...], data: bytes, start: int) -> Iterator[int]:
    """Find the few places that are worth an expression: it is slow on everything else."""
    for prefix in prefixes:
        at = data.find(prefix, start)
        while at >= 0:
            yield at
            at = data.find(prefix, at + 1)


def _members(body: str) -> bytes:
    member = re.compile(f"[{body}]".encode())
    return b"".join(member.findall(bytes(range(256))))


def _begun(prefix: str) -> str:
    """Return an expression for every proper beginning of a text: `a(?:b(?:c)?)?`."""
    pattern = ""
    for character in reversed(prefix[:-1]):
        pattern = re.escape(character) + (f"(?:{pattern})?" if pattern else "")
    return pattern


_WORD = "A-Za-z0-9_-"

PATTERNS: tuple[Rule, ...] = (
    PrivateKeyRule(),
    TokenRule("ANTHROPIC_KEY", ("sk-ant-",), _WORD, 20),
    TokenRule("OPENAI_KEY", ("sk-proj-", "sk-svcacct-", "sk-admin-"), _WORD, 20),
    TokenRule("OPENROUTER_KEY", ("sk-or-",), _WORD, 20),
    TokenRule("SK_KEY", ("sk-", "sk_live_", "rk_live_"), "A-Za-z0-9", 20),
    TokenRule("GITHUB_TOKEN", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "A-Za-z0-9", 36),
    TokenRule("GITHUB_TOKEN", ("github_pat_",), "A-Za-z0-9_", 36),
    TokenRule("GITLAB_TOKEN", ("glpat-",), _WORD, 20),
    TokenRule("AWS_KEY_ID", ("AKIA", "ASIA"), "A-Z0-9", 16),
    TokenRule("GOOGLE_KEY", ("AIza",), _WORD, 35),
    TokenRule("GOOGLE_TOKEN", ("ya29.",), _WORD, 20),
    TokenRule("SLACK_TOKEN", ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"), "A-Za-z0-9-", 20),
    TokenRule("HUGGING_FACE_TOKEN", ("hf_",), "A-Za-z0-9", 30),
    TokenRule("JWT", ("eyJ",), "A-Za-z0-9_.-", 40, dots=2),
    TokenRule("BEARER", ("Bearer ", "bearer "), "A-Za-z0-9._~+/=-", 16, leads=True),
)
"""The rules of `--redact patterns`, in the order in which they name what two of them match."""

KEY_SHAPES: tuple[Rule, ...] = PATTERNS[:-1]
"""Those that recognise a whole value by itself: all but `Bearer …`."""
