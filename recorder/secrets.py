"""Finding the exact values that must not be stored: in the environment, headers, URLs and tokens.

This module only finds: masking is the business of `traceproof.recorder.redaction`. A field that is
a credential and nothing else is dropped whole: see `traceproof.recorder.cleaning`. For files see
`traceproof.recorder.secret_files`, for command lines `traceproof.recorder.secret_arguments`.
"""

from __future__ import annotations

import base64
import binascii
import os.path
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from traceproof.recorder.credential_names import (
    GRANT_FIELDS,
    HEADERS,
    SCHEME,
    is_credential_header,
    is_credential_query,
    is_sure,
    is_telling,
    is_telling_cookie,
)
from traceproof.recorder.credential_values import has_key_shape, is_opaque, is_placeholder, is_wordy
from traceproof.recorder.redaction import is_maskable

_USERINFO = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://([^\s/?#'\"]+)@")
_NAME_LENGTH = 20
"""Longer than people's names: a user of a URL that is longer is a token in the user's place."""

_HEADER_LINE = re.compile(r"\s*([A-Za-z][\w-]*)\s*:\s*(\S.*)")
_OF_PROVIDER = re.compile(r"[A-Za-z][\w.-]{0,30}=(.*[^=].*)")
"""A provider's name and its key, as Aider takes them."""

_FORM = re.compile(rb"[\w.%~+\[\]-]{1,100}=")
_PAIR = re.compile(
    rb'"([\w.-]{2,64})"\s*:\s*(?:\{\s*"value"\s*:\s*)?"([^"\\]*(?:\\.[^"\\]*)*)', re.DOTALL
)
"""A field of JSON that cannot be parsed as a whole; its value may be cut short."""

_BARE_KEY = re.compile(r"(?![0-9a-fA-F-]{36}\Z)[A-Za-z0-9_-]+=*")
"""What a field called just `key` must look like: no path, no file, no UUID."""

MOST = 50
"""Secrets of one body: more fields than that are a listing of something else."""


class Secret(NamedTuple):
    """A value and a name for it; printing it shows the name alone."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"


def maskable(secrets: Iterable[Secret]) -> list[Secret]:
    """Keep each value once, and those only that a redactor would take."""
    found: dict[str, Secret] = {}
    for secret in secrets:
        if is_maskable(secret.value) and not is_placeholder(secret.value):
            found.setdefault(secret.value, secret)
    return list(found.values())


# --- variables --------------------------------------------------------------------------------


def from_environment(environment: Mapping[str, str]) -> list[Secret]:
    """Find the secrets of an environment: by name, by shape, in URLs, and in headers to be sent."""
    return from_variables(environment.items())


def from_variables(pairs: Iterable[tuple[str, str]]) -> list[Secret]:
    """Find the secrets of names and values, as if they were set in the environment."""
    return maskable(secret for pair in pairs for secret in _from_variable(*pair))


def _from_variable(name: str, value: str) -> Iterator[Secret]:
    if has_key_shape(value) or (is_telling(name) and not is_path(value)):
        yield from parts(name, value)
    if name.upper().endswith(("HEADERS", "HEADER")):
        yield from _from_header_lines(value)
    if name == "OTEL_RESOURCE_ATTRIBUTES":
        for key, attribute in _listed(value):
            if is_telling(key):
                yield Secret(key, attribute)
    for password in passwords(value):
        yield Secret(name, password)


def parts(name: str, value: str) -> Iterator[Secret]:
    """Yield a credential, and the key in it if it is led by a scheme or a provider's name."""
    if SCHEME.fullmatch(value.strip()):
        yield from _authorization(name, value.strip())
        return
    yield Secret(name, value)
    if pair := _OF_PROVIDER.fullmatch(value):
        yield Secret(name, pair[1])


def is_path(value: str) -> bool:
    """Tell whether a value names something that is there, rather than being a secret itself."""
    # pathlib raises on a value too long for a path; this does not.
    return value.startswith(("/", "./")) and os.path.lexists(value)


def passwords(value: str) -> Iterator[str]:
    """Yield the passwords of URLs in a value, or the users where tokens stand in their place."""
    for userinfo in _USERINFO.findall(value):
        user, _, password = userinfo.partition(":")
        if password or len(user) > _NAME_LENGTH or has_key_shape(user):
            yield password or user
            yield unquote(password or user)


def _from_header_lines(value: str) -> Iterator[Secret]:
    """Read headers that a program is told to send: as lines, as JSON, or `name=value,…`."""
    parsed = parse(value) if value.lstrip().startswith("{") else None
    if isinstance(parsed, dict):
        yield from _headers((name, text) for name, text in parsed.items() if isinstance(text, str))
        return
    for line in value.splitlines():
        if header := _HEADER_LINE.fullmatch(line):
            yield from _headers([(header[1], header[2])])
        else:
            yield from _headers(_listed(line))


def _listed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of `name=value,name=value`, as they stand and percent-decoded."""
    for pair in text.split(","):
        name, _, value = (part.strip() for part in pair.partition("="))
        yield name, value
        yield name, unquote(value)


def from_git_config(settings: Iterable[tuple[str, str]]) -> list[Secret]:
    """Find the secrets of git's settings: passwords in URLs, and headers it is told to send."""
    return maskable(_from_settings(settings))


def _from_settings(settings: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for key, value in settings:
        if key.lower().endswith(".extraheader"):
            name, _, content = value.partition(":")
            yield from _from_header(name.strip(), content.strip())
        for password in (*passwords(key), *passwords(value)):
            yield Secret("git password", password)


# --- headers and queries ------------------------------------------------------------------------


def from_headers(headers: Iterable[tuple[str, str]]) -> list[Secret]:
    """Find the secrets of a request's or a response's headers."""
    return maskable(_headers(headers))


def _headers(headers: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for name, value in headers:
        yield from _from_header(name, value.strip())


def _from_header(name: str, value: str) -> Iterator[Secret]:
    match name.lower():
        case "authorization" | "proxy-authorization":
            yield from _authorization(name.lower(), value)
        case "cookie" | "cookie2":
            yield from _cookies(value.split(";"))
        case "set-cookie" | "set-cookie2":
            yield from _cookies(value.split(";")[:1])
        case lower if is_credential_header(name, value):
            yield from _credential(lower, value)
        case lower if has_key_shape(value):
            yield Secret(lower, value)


def _credential(name: str, value: str) -> Iterator[Secret]:
    """Take the value of a header that is listed, or that looks no more like words than a token."""
    if SCHEME.fullmatch(value):
        yield from _authorization(name, value)
    elif name in HEADERS or not (is_wordy(value) or " " in value):
        yield Secret(name, value)


def _authorization(name: str, value: str) -> Iterator[Secret]:
    scheme, _, credentials = value.partition(" ")
    yield Secret(name, credentials.strip() or scheme)
    if scheme.lower() == "basic":
        yield from basic(name, credentials.strip())


def basic(name: str, credentials: str) -> Iterator[Secret]:
    """Yield the password in `user:password` in base64, or the user where there is none."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    user, _, password = decoded.partition(":")
    yield Secret(f"{name} password", password or user)


def _cookies(pairs: Iterable[str]) -> Iterator[Secret]:
    """Take what stands for a login: sites keep languages, regions and models in cookies too."""
    for pair in pairs:
        name, _, value = pair.strip().partition("=")
        value = value.strip('"')
        if is_opaque(value) or (is_telling_cookie(name) and not is_wordy(value)):
            yield Secret(f"cookie {name}", value)
            yield Secret(f"cookie {name}", unquote(value))


def from_query(path: str) -> list[Secret]:
    """Find the secrets in the query of a path or URL: as they are sent, and decoded."""
    return maskable(
        Secret(name, value)
        for name, value in _pairs(urlsplit(path).query)
        if is_credential_query(name, value) and not is_wordy(value)
    )


def _pairs(form: str) -> list[tuple[str, str]]:
    sent = [part.partition("=")[::2] for part in form.split("&")]
    return [*((unquote(name), value) for name, value in sent), *parse_qsl(form)]


# --- bodies -------------------------------------------------------------------------------------


def from_json_fields(body: bytes) -> list[Secret]:
    """Find the tokens of a body that no dialect reads: in JSON, or as a form.

    It may be megabytes, cut short, or neither of the two.
    """
    if _FORM.match(body):
        found = _from_form(body.decode(errors="replace"))
    elif body.lstrip()[:1] in (b"{", b"[") and (parsed := parse(body)) is not None:
        found = leaves(parsed, _judge(body))
    else:
        found = pairs_in(body, _judge(body))
    return maskable(found)[:MOST]


def _from_form(form: str) -> Iterator[Secret]:
    pairs = _pairs(form)
    granted = any(name == "grant_type" for name, _ in pairs)
    for name, value in pairs:
        if (granted and name in GRANT_FIELDS) or is_secret_field(name, value):
            yield Secret(name, value)


def _judge(body: bytes) -> Callable[[str, str], bool]:
    """Return what tells a secret field of a body: a grant's `code` is one, another's is not."""
    if b'"grant_type"' not in body:
        return is_secret_field
    return lambda name, value: name in GRANT_FIELDS or is_secret_field(name, value)


def is_secret_field(name: str, value: str) -> bool:
    """Tell whether a field of traffic is a secret, where most fields are not."""
    if has_key_shape(value.strip()):
        return True
    if is_sure(name):
        return not any(map(str.isspace, value))
    if not is_telling(name) or not is_opaque(value):
        return False
    return name.lower() != "key" or bool(_BARE_KEY.fullmatch(value))


def parse(text: str | bytes) -> Any:
    """Return what JSON says, None where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def leaves(value: Any, is_secret: Callable[[str, str], bool]) -> Iterator[Secret]:
    """Walk JSON without recursion, since anybody may have sent it."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        match item:
            case dict():
                waiting.extend(_named(key, item) if "value" in item else item.items())
            case list():
                waiting.extend((key, element) for element in item)
            case str() if is_secret(key, item):
                yield Secret(key, item)


def _named(key: str, item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give a `value` its name: the `name` or `key` beside it, else that of the object."""
    beside = item.get("name", item.get("key"))
    name = beside if isinstance(beside, str) else key
    return ((name if inner == "value" else inner, value) for inner, value in item.items())


def pairs_in(body: bytes, is_secret: Callable[[str, str], bool]) -> Iterator[Secret]:
    """Find fields in what is JSON in parts only: lines of it, or one that was cut short."""
    for name, raw in _PAIR.findall(body):
        parsed = parse(b'"%s"' % raw)
        value = parsed if isinstance(parsed, str) else raw.decode(errors="replace")
        key = name.decode(errors="replace")
        if is_secret(key, value):
            yield Secret(key, value)
