"""Dropping what is a credential and nothing else: headers, cookies, query values, URL passwords.

It happens in memory, before anything is stored; what else holds the same values is masked by
`traceproof.recorder.redaction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from traceproof.recorder.credential_names import is_credential_header, is_credential_query

_WITH_URL = {"content-location", "location", "origin", "referer"}
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/?#]*@")
_SCP_PASSWORD = re.compile(r"^([^/@:\s]+):[^/@\s]+@")


class CleanHeaders(NamedTuple):
    """The headers that may be stored, in order, and the names of those that were dropped."""

    kept: list[tuple[str, str]]
    dropped: list[str]


def clean_headers(headers: Iterable[tuple[str, str]]) -> CleanHeaders:
    """Drop credential headers and cookies, and credentials from headers that hold a URL."""
    cleaned = CleanHeaders([], [])
    for name, value in headers:
        if is_credential_header(name, value):
            cleaned.dropped.append(name)
        else:
            with_url = name.lower() in _WITH_URL
            cleaned.kept.append((name, clean_url(value) if with_url else value))
    return cleaned


def clean_path(path: str) -> str:
    """Drop the values of credential query keys; all else stays as it was sent."""
    location, mark, query = path.partition("?")
    return location + mark + "&".join(map(_clean_pair, query.split("&")))


def _clean_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not is_credential_query(unquote(name), value):
        return pair
    _, hash_mark, fragment = value.partition("#")
    return name + equals + hash_mark + fragment


def clean_url(url: str) -> str:
    """Drop user and password, and credential query values; `git@host:path` stays what it is."""
    without = _USERINFO.sub(r"\1", url)
    return clean_path(_SCP_PASSWORD.sub(r"\1@", without))
