"""What credentials are called: in environments, headers, queries and token responses."""

from __future__ import annotations

import re
from functools import lru_cache

from traceproof.recorder.credential_values import is_wordy

_TELLING = {
    "APIKEY", "AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "COOKIES", "CREDENTIAL", "CREDENTIALS",
    "JWT", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PRIVATE", "PWD", "SECRET", "SECRETS",
    "TOKEN",
}  # fmt: skip
"""Words of a name that say that the value is a credential."""

_TELLING_ENDS = ("APIKEY", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN")
"""They do so at the end of a word too: `PGPASSWORD`."""

_TELLING_OTHERWISE = {
    "ALGORITHM", "ALIAS", "AT", "BUDGET", "COUNT", "DATE", "DESCRIPTION", "DIR", "EMAIL", "ENABLED",
    "ENDPOINT", "EXPIRATION", "EXPIRES", "EXPIRY", "FILE", "FILENAME", "FORMAT", "HELPER", "HOST",
    "ID", "IN", "INFO", "ISSUER", "LABEL", "LENGTH", "LEVEL", "LIMIT", "METHOD", "MODE", "MODEL",
    "NAME", "PATH", "PORT", "PROFILE", "PROVIDER", "REGION", "REMAINING", "RESET", "SCOPE",
    "SCOPES", "SIZE", "SOCK", "SOCKET", "SPEND", "STATUS", "TIMEOUT", "TTL", "TYPE", "URI", "URL",
    "USAGE", "USED", "USER", "VERSION",
}  # fmt: skip
"""Last words of a name that say that the value is about a credential, or where one is."""

_TELLING_NOT_AFTER = {
    "KEY": {
        "CACHE", "FOREIGN", "GROUP", "IDEMPOTENCY", "OBJECT", "PARTITION", "PRIMARY", "PUBLIC",
        "PUBLISHABLE", "ROUTING", "SORT", "SURROGATE",
    },
    "TOKEN": {"BOS", "CONTINUATION", "EOS", "NEXT", "PAD", "PAGE", "PER", "PROGRESS", "STOP"},
}  # fmt: skip
"""Words that name something else with the word before them: `prompt_cache_key`, `nextToken`."""

_SURE = {
    ("ACCESS", "KEY"), ("ACCESS", "TOKEN"), ("API", "KEY"), ("API", "TOKEN"), ("AUTH", "TOKEN"),
    ("BEARER", "TOKEN"), ("CODE", "VERIFIER"), ("DEVICE", "CODE"), ("ID", "TOKEN"),
    ("OAUTH", "TOKEN"), ("RAW", "KEY"), ("REFRESH", "TOKEN"), ("SECRET", "KEY"),
    ("SECURITY", "TOKEN"), ("SESSION", "TOKEN"),
}  # fmt: skip
_SURE_ENDS = ("APIKEY", "PASSPHRASE", "PASSWD", "PASSWORD")

_HARMLESS = {"PWD", "OLDPWD", "GPG_KEY"}
"""The working directories, and the public key that Python's own images name."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 128

HEADERS = frozenset({
    "api-key", "authorization", "cookie", "cookie2", "ocp-apim-subscription-key", "private-token",
    "proxy-authorization", "set-cookie", "set-cookie2", "x-access-token", "x-amz-security-token",
    "x-api-key", "x-auth-token", "x-csrf-token", "x-goog-api-key", "x-goog-iam-authorization-token",
})  # fmt: skip
"""Headers whose value is a credential; lower case. Others are judged by `is_credential_header`."""

_HARMLESS_HEADERS = re.compile(
    r"(?:.*-)?rate-?limit(?:-.*)?|x-stainless-.*|access-control-.*|idempotency-key|max-tokens|"
    r"(?:www|proxy)-authenticate|sec-websocket-(?:key|accept)|x-idempotency-key"
)
"""Headers that merely look like credentials: limits, what an SDK says of itself, challenges.

An idempotency key is no credential, and says which calls are retries: it is kept.
"""

SCHEME = re.compile(r"(?:Bearer|Basic|Token)[ \t]+(\S{8,})", re.IGNORECASE)
"""A value that is a credential under whatever name, and the part to be kept secret."""

_COOKIES = re.compile(r"sess|sid$|auth|token|jwt", re.IGNORECASE)

QUERY = frozenset({
    "access_token", "api-key", "api_key", "apikey", "auth", "auth_token", "client_secret", "code",
    "code_verifier", "id_token", "key", "password", "refresh_token", "secret", "sig", "signature",
    "token", "x-amz-credential", "x-amz-security-token", "x-amz-signature", "x-goog-signature",
})  # fmt: skip
"""Query keys whose value is a credential; lower case. Others are judged by `is_telling`."""

GRANT_FIELDS = frozenset({"code", "assertion", "client_assertion"})
"""Keys whose value is a credential beside a `grant_type`."""

FILE_FIELDS = frozenset({"access", "refresh"})
"""Keys of the files in which agents keep their tokens; others are judged by `is_telling`."""


def is_telling(name: str) -> bool:
    """Tell whether a variable or key is called like a credential."""
    return len(name) <= _LONGEST and _is_telling(name)


@lru_cache(4096)
def _is_telling(name: str) -> bool:
    words = _words(name)
    if not words or name.upper() in _HARMLESS or words[-1] in _TELLING_OTHERWISE:
        return False
    return any(
        (word in _TELLING or word.endswith(_TELLING_ENDS))
        and before not in _TELLING_NOT_AFTER.get(word, ())
        for before, word in zip(["", *words], words, strict=False)
    )


def is_sure(name: str) -> bool:
    """Tell whether a key is called like nothing but a credential: `api_key`, not just `key`."""
    return len(name) <= _LONGEST and _is_sure(name)


@lru_cache(4096)
def _is_sure(name: str) -> bool:
    words = _words(name)
    if len(words) > 1 and (words[-1] == "SECRET" or (words[-2], words[-1]) in _SURE):
        return True
    return bool(words) and words[-1].endswith(_SURE_ENDS)


def _words(name: str) -> list[str]:
    return [word.upper() for word in _WORDS.findall(name)]


def is_credential_header(name: str, value: str = "") -> bool:
    """Tell whether a header is a credential: it is listed, or its name or its scheme says so."""
    lower = name.lower()
    if lower in HEADERS:
        return True
    if _HARMLESS_HEADERS.fullmatch(lower):
        return False
    return is_telling(name) or bool(SCHEME.fullmatch(value.strip()))


def is_credential_query(name: str, value: str) -> bool:
    """Tell whether a query key's value is a credential; `private=true` is not."""
    return name.lower() in QUERY or (is_telling(name) and not is_wordy(value))


def is_telling_cookie(name: str) -> bool:
    """Tell whether a cookie is called like one that stands for a login."""
    return is_telling(name) or bool(_COOKIES.search(name) and _words(name))
