"""Where a push goes, with which headers: from options, else from OpenTelemetry's environment.

Headers hold credentials: they are never printed, logged or stored, and the environment's own go
to no other server than the environment's. User and password of an address become a header.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from traceproof.recorder.cleaning import clean_path

PATH = "/v1/traces"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
TRACES_HEADERS = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
_NOT_IN_NAMES = set(' \t\r\n:()<>@,;\\"/[]?={}')


@dataclass(frozen=True)
class Endpoint:
    """A server's address for traces, and what to send along."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        """The address without what may be secret in it: user, password, query."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    @property
    def key(self) -> str:
        """A name for it, made of nothing that is secret: not even a hash of that is stored."""
        query = clean_path(f"?{urlsplit(self.url).query}")
        return hashlib.sha256(f"{self.shown}{query}".encode()).hexdigest()


def resolve(url: str, headers: Iterable[str], environment: Mapping[str, str]) -> Endpoint:
    """Find out where to push, and with which headers.

    Args:
        url: The base address, to which `/v1/traces` is added unless it ends so; "" asks the
            environment.
        headers: `NAME=VALUE` each; they win over the environment's.
        environment: OpenTelemetry's variables are read from it.

    Raises:
        ValueError: there is no address, or one of them is wrong; no message repeats a value.
    """
    theirs = _of_environment(environment)
    parts = _with_path(url) if url else theirs
    if parts is None:
        raise ValueError(f"nowhere to push to: give --endpoint URL, or set {ENDPOINT}")
    given = dict(_header(text) for text in headers)
    if theirs is None or _origin(theirs) == _origin(parts):
        given = {**_headers(environment), **given}
    user, _, host = parts.netloc.rpartition("@")
    if user:
        login = base64.b64encode(unquote(user).encode()).decode()
        given.setdefault("authorization", f"Basic {login}")
    return Endpoint(urlunsplit(parts._replace(netloc=host)), given)


def _of_environment(environment: Mapping[str, str]) -> SplitResult | None:
    exact, base = environment.get(TRACES_ENDPOINT, ""), environment.get(ENDPOINT, "")
    if exact:
        return _parts(exact)
    return _with_path(base) if base else None


def _with_path(url: str) -> SplitResult:
    parts = _parts(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(PATH) else path + PATH)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its text may repeat a password
        known = False
    if not known or any(map(str.isspace, url)):
        raise ValueError("an endpoint is an address like http://localhost:4318")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not _is_name(name.strip()):
        raise ValueError("--header is NAME=VALUE, for instance --header authorization=…")
    return name.strip().lower(), _value("--header", name, value)


def _headers(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the environment's headers: `name=value` pairs with commas between, percent-encoded."""
    variable = TRACES_HEADERS if environment.get(TRACES_HEADERS) else HEADERS
    found: dict[str, str] = {}
    for pair in filter(str.strip, environment.get(variable, "").split(",")):
        name, separator, value = map(unquote, pair.partition("="))
        if not separator or not _is_name(name.strip()):
            raise ValueError(f"{variable} is name=value, with commas between several")
        found[name.strip().lower()] = _value(variable, name, value)
    return found


def _is_name(name: str) -> bool:
    return bool(name) and name.isascii() and name.isprintable() and not set(name) & _NOT_IN_NAMES


def _value(where: str, name: str, value: str) -> str:
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{where} {name.strip().lower()}: a value is one line of printable ASCII")
    return value
