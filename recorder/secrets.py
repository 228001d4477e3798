"""Finding the exact values that must not be stored: in the environment, headers, URLs and tokens.

This module only finds: masking is the business of `traceproof.recorder.redaction`. A field that is
a credential and nothing else is dropped whole: see `traceproof.recorder.cleaning`.
"""

from __future__ import annotations

import base64
import binascii
import os.path
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from traceproof.recorder.credential_names import (
    FIELDS,
    FILE_FIELDS,
    HEADERS,
    QUERY,
    has_key_shape,
    is_telling,
)
from traceproof.recorder.redaction import is_maskable

_USERINFO = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://([^\s/?#'\"]+)@")
_YAML_LINE = re.compile(
    r"""^[ \t]*(-[ \t]+)?["']?([\w.-]+)["']?[ \t]*[:=][ \t]*["']?([^\s"'#]*)""", re.MULTILINE
)
_DOTENV = re.compile(
    r"""^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\n#]*))""",
    re.MULTILINE,
)
_NAME_LENGTH = 20
"""Longer than people's names: a user of a URL that is longer is a token in the user's place."""


class Secret(NamedTuple):
    """A value and a name for it; printing it shows the name alone."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"


def from_environment(environment: Mapping[str, str]) -> list[Secret]:
    """Find the secrets of an environment: by name, by shape, and in URLs."""
    return _maskable(_from_variables(environment.items()))


def from_dotenv(text: str) -> list[Secret]:
    """Find the secrets of a `.env` file, as if its variables were set."""
    pairs = [
        (name, double or single or bare.strip())
        for name, double, single, bare in _DOTENV.findall(text)
    ]
    return _maskable(_from_variables(pairs))


def from_yaml(text: str) -> list[Secret]:
    """Find the secrets of a flat YAML settings file, such as Aider's.

    A setting is `name: value`, or a name and a list of `- name=value` below it. Only these two
    forms are read: a credential elsewhere in a YAML file has to be known from the environment.
    """
    return _maskable(_from_variables(_yaml_pairs(text)))


def _yaml_pairs(text: str) -> Iterator[tuple[str, str]]:
    setting = ""
    for item, name, value in _YAML_LINE.findall(text):
        if not item:
            setting = name
            yield name, value
        elif is_telling(setting):
            yield setting, value
        else:
            yield name, value


def _from_variables(pairs: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for name, value in pairs:
        if has_key_shape(value) or (is_telling(name) and not _is_path(value)):
            yield Secret(name, value)
        for password in _passwords(value):
            yield Secret(name, password)


def _is_path(value: str) -> bool:
    # pathlib raises on a value too long for a path; this does not.
    return value.startswith(("/", "./")) and os.path.lexists(value)


def _passwords(value: str) -> Iterator[str]:
    """Yield the passwords of URLs in a value, or the users where tokens stand in their place."""
    for userinfo in _USERINFO.findall(value):
        user, _, password = userinfo.partition(":")
        if password or len(user) > _NAME_LENGTH or has_key_shape(user):
            yield password or user
            yield unquote(password or user)


def from_git_config(settings: Iterable[tuple[str, str]]) -> list[Secret]:
    """Find the secrets of git's settings: passwords in URLs, and headers it is told to send."""
    return _maskable(_from_settings(settings))


def _from_settings(settings: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for key, value in settings:
        if key.lower().endswith(".extraheader"):
            name, _, content = value.partition(":")
            yield from _from_header(name.strip().lower(), content.strip())
        for password in (*_passwords(key), *_passwords(value)):
            yield Secret("git password", password)


def from_headers(headers: Iterable[tuple[str, str]]) -> list[Secret]:
    """Find the secrets of a request's or a response's headers."""
    return _maskable(
        secret for name, value in headers for secret in _from_header(name.lower(), value.strip())
    )


def _from_header(name: str, value: str) -> Iterator[Secret]:
    match name:
        case "authorization" | "proxy-authorization":
            yield from _authorization(name, value)
        case "cookie" | "cookie2":
            yield from _cookies(value.split(";"))
        case "set-cookie" | "set-cookie2":
            yield from _cookies(value.split(";")[:1])
        case _ if name in HEADERS or has_key_shape(value):
            yield Secret(name, value)


def _authorization(name: str, value: str) -> Iterator[Secret]:
    scheme, _, credentials = value.partition(" ")
    yield Secret(name, credentials.strip() or scheme)
    if scheme.lower() == "basic":
        yield from _basic(name, credentials.strip())


def _basic(name: str, credentials: str) -> Iterator[Secret]:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    user, _, password = decoded.partition(":")
    yield Secret(f"{name} password", password or user)


def _cookies(pairs: Iterable[str]) -> Iterator[Secret]:
    for pair in pairs:
        name, _, value = pair.strip().partition("=")
        yield Secret(f"cookie {name}", value.strip('"'))
        yield Secret(f"cookie {name}", unquote(value.strip('"')))


def from_query(path: str) -> list[Secret]:
    """Find the secrets in the query of a path or URL: as they are sent, and decoded."""
    return _maskable(_from_pairs(urlsplit(path).query, QUERY))


def _from_pairs(form: str, names: Collection[str]) -> Iterator[Secret]:
    sent = [part.partition("=")[::2] for part in form.split("&")]
    for name, value in [*sent, *parse_qsl(form)]:
        if name in names or name.lower() in names:
            yield Secret(name, value)


def from_json_fields(body: bytes) -> list[Secret]:
    """Find the tokens of an OAuth request or response, in JSON or as a form.

    A body without the name of such a field is not parsed, so this may be asked of any body.
    """
    if not any(name.encode() in body for name in FIELDS):
        return []
    if body.lstrip()[:1] in (b"{", b"["):
        return _maskable(_leaves(_parse(body), lambda key, _: key in FIELDS))
    return _maskable(_from_pairs(body.decode(errors="replace"), FIELDS))


def from_credentials_json(text: str | bytes) -> list[Secret]:
    """Find the tokens in a file where an agent keeps them; text that is not JSON has none."""
    return _maskable(_leaves(_parse(text), _is_token))


def _is_token(key: str, value: str) -> bool:
    return key in FILE_FIELDS or is_telling(key) or has_key_shape(value)


def _parse(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _leaves(value: Any, is_secret: Callable[[str, str], bool]) -> Iterator[Secret]:
    """Walk JSON without recursion, since anybody may have sent it."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        match item:
            case dict():
                waiting.extend(item.items())
            case list():
                waiting.extend((key, element) for element in item)
            case str() if is_secret(key, item):
                yield Secret(key, item)


def _maskable(secrets: Iterable[Secret]) -> list[Secret]:
    """Keep each value once, and those only that a redactor would take."""
    found: dict[str, Secret] = {}
    for secret in secrets:
        if is_maskable(secret.value):
            found.setdefault(secret.value, secret)
    return list(found.values())
