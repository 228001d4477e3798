r"""The forms that one secret value takes in traffic: what a mask must look for besides the value.

Covered, and named so in a mask's record:

- `plain`: the value in UTF-8.
- `json`, `json2`, `json3`: inside a JSON string, once, twice and three times (a tool call's
  arguments in a request body; a JSON document that a shell command carries there), with or without
  `\uXXXX` for what is not ASCII, with `/` or `\/`, with `&<>` or `\u0026\u003c\u003e`.
- `url`: percent-encoded, with `/` kept or not, space as `%20` or `+`, as `encodeURIComponent`
  leaves it, digits in either case.
- `base64`: standard and URL-safe, in all three alignments, so that `user:value` is found too. The
  first and the last character may be shared with what stands beside the value and are not masked.
- `hex`: lower and upper case.
- `text`: of a value that is no UTF-8, what becomes of it as text, here (`\xff`, `\udcff`) and in
  most programs (U+FFFD), plain and inside JSON strings.

Not covered: compressed or encrypted copies (a caller masks the decoded body), base64 wrapped into
lines, UTF-16, a value that the agent split or spelled backwards.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

_HTML_SAFE = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"}


def forms(value: str) -> dict[bytes, str]:
    """Return every form of a value with the name of its encoding; a shared form has one name."""
    found: dict[bytes, str] = {}
    for form, encoding in _all(value):
        found.setdefault(form, encoding)
    return found


def to_bytes(text: str) -> bytes:
    """Encode as UTF-8; what an undecodable byte of the environment became turns into it again."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _all(value: str) -> Iterator[tuple[bytes, str]]:
    plain = to_bytes(value)
    yield plain, "plain"
    yield from _json(value)
    yield from _url(plain)
    yield from _base64(plain)
    yield plain.hex().encode(), "hex"
    yield plain.hex().upper().encode(), "hex"
    for text in _texts(plain):
        yield to_bytes(text), "text"
        yield from ((form, "text") for form, _ in _json(text))


def _texts(plain: bytes) -> set[str]:
    """Return what bytes that are no UTF-8 are as text; nothing where they are UTF-8."""
    kept = plain.decode(errors="surrogateescape")
    escaped = kept.encode(errors="backslashreplace").decode()
    if escaped == kept:
        return set()
    return {escaped, plain.decode(errors="backslashreplace"), plain.decode(errors="replace")}


def _json(value: str) -> Iterator[tuple[bytes, str]]:
    level = {value}
    for encoding in ("json", "json2", "json3"):
        level = {escaped for text in level for escaped in _escape(text)}
        for text in sorted(level):
            yield to_bytes(text), encoding


def _escape(text: str) -> Iterator[str]:
    for ascii_only in (False, True):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield "".join(_HTML_SAFE.get(character, character) for character in escaped)


def _url(plain: bytes) -> Iterator[tuple[bytes, str]]:
    for safe in ("/", "", "!'()*"):
        quoted = quote(plain, safe=safe)
        yield quoted.encode(), "url"
        yield quoted.replace("%20", "+").encode(), "url"
        yield _lower_digits(quoted).encode(), "url"


def _lower_digits(quoted: str) -> str:
    first, *others = quoted.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _base64(plain: bytes) -> Iterator[tuple[bytes, str]]:
    for before in range(3):
        bits_before, bits = 8 * before, 8 * (before + len(plain))
        whole = slice(-(-bits_before // 6), bits // 6)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            piece = encode(bytes(before) + plain)[whole]
            yield piece, "base64"
            yield piece.replace(b"/", b"\\/"), "base64"
