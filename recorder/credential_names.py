"""What credentials are called: in environments, headers, queries and token responses."""

from __future__ import annotations

import re

from traceproof.recorder.patterns import KEY_SHAPES, LONGEST

_TELLING = {
    "APIKEY", "AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "COOKIES", "CREDENTIAL", "CREDENTIALS",
    "JWT", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PRIVATE", "PWD", "SECRET", "SECRETS",
    "TOKEN",
}  # fmt: skip
"""Words of a name that say that the value is a credential."""

_TELLING_ENDS = ("APIKEY", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN")
"""They do so at the end of a word too: `PGPASSWORD`."""

_TELLING_OTHERWISE = {
    "ALGORITHM", "COUNT", "DIR", "ENABLED", "ENDPOINT", "EXPIRES", "FILE", "FILENAME", "FORMAT",
    "HOST", "ID", "LENGTH", "LEVEL", "LIMIT", "METHOD", "MODE", "NAME", "PATH", "PORT", "PROFILE",
    "PROVIDER", "REGION", "SIZE", "SOCK", "SOCKET", "TTL", "TYPE", "URI", "URL", "USER", "VERSION",
}  # fmt: skip
"""Last words of a name that say that the value is about a credential, or where one is."""

_HARMLESS = {"PWD", "OLDPWD", "GPG_KEY"}
"""The working directories, and the public key that Python's own images name."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

HEADERS = frozenset({
    "api-key", "authorization", "cookie", "cookie2", "ocp-apim-subscription-key", "private-token",
    "proxy-authorization", "set-cookie", "set-cookie2", "x-access-token", "x-amz-security-token",
    "x-api-key", "x-auth-token", "x-csrf-token", "x-goog-api-key", "x-goog-iam-authorization-token",
})  # fmt: skip
"""Headers whose value is a credential; lower case."""

QUERY = frozenset({
    "access_token", "api-key", "api_key", "apikey", "auth", "auth_token", "client_secret", "code",
    "code_verifier", "id_token", "key", "password", "refresh_token", "secret", "sig", "signature",
    "token", "x-amz-credential", "x-amz-security-token", "x-amz-signature", "x-goog-signature",
})  # fmt: skip
"""Query keys whose value is a credential; lower case."""

FIELDS = (
    "access_token", "refresh_token", "id_token", "client_secret", "code_verifier", "device_code",
    "session_token", "api_key", "raw_key", "accessToken", "refreshToken", "idToken", "apiKey",
)  # fmt: skip
"""Keys of token requests and responses."""

FILE_FIELDS = frozenset({*FIELDS, "access", "refresh"})
"""Keys of the files in which agents keep their tokens; others are judged by `is_telling`."""


def is_telling(name: str) -> bool:
    """Tell whether a variable or key is called like a credential."""
    words = [word.upper() for word in _WORDS.findall(name)]
    if not words or name.upper() in _HARMLESS or words[-1] in _TELLING_OTHERWISE:
        return False
    return any(word in _TELLING or word.endswith(_TELLING_ENDS) for word in words)


def has_key_shape(value: str) -> bool:
    """Tell whether a whole value looks like a provider's key."""
    if len(value) > LONGEST:
        return False
    data = value.encode(errors="surrogatepass")
    return any((0, len(data)) in rule.find(data, 0) for rule in KEY_SHAPES)
