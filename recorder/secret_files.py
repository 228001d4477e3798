"""Finding the secrets of files: which files are made to hold them, and how each kind is read.

A file is known by its name alone. What is read here is only learned, to be masked wherever it
appears; the file itself is stored like any other, except private keys (`is_private_key`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from functools import cache
from itertools import pairwise
from pathlib import PurePosixPath

from traceproof.recorder.credential_names import FILE_FIELDS, SCHEME, is_telling
from traceproof.recorder.credential_values import has_key_shape, is_opaque
from traceproof.recorder.secrets import (
    Secret,
    basic,
    from_variables,
    is_path,
    leaves,
    maskable,
    pairs_in,
    parse,
    parts,
    passwords,
)

_YAML_LINE = re.compile(
    r"""^[ \t]*(-[ \t]+)?["']?([\w.-]+)["']?[ \t]*[:=][ \t]*["']?([^\s"'#]*)""", re.MULTILINE
)
_DOTENV = re.compile(
    r"""^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\n#]*))""",
    re.MULTILINE,
)
_SETTING = re.compile(
    r"""^[ \t]*([^\s=:#;]+)[ \t]*[=:][ \t]*(["']?)(.*?)\2[ \t,]*$""", re.MULTILINE
)
_NPM_SETTING = re.compile(r"""^[ \t]*([^\s=#;]+)[ \t]*=[ \t]*(["']?)(.*?)\2[ \t]*$""", re.MULTILINE)
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----(.*?)(?:-----END |\Z)", re.DOTALL
)
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{16,}")
_KEY_NAMES = ("*.pem", "*.key", "*.p8", "*.pk8", "id_*", "*_rsa", "*_ed25519", "*_ecdsa")
_KEY_STORES = ("*.ppk", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx")
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")


def from_dotenv(text: str) -> list[Secret]:
    """Find the secrets of a `.env` file, as if its variables were set."""
    return from_variables(
        (name, double or single or bare.strip())
        for name, double, single, bare in _DOTENV.findall(text)
    )


def from_dotenv_example(text: str) -> list[Secret]:
    """Find the secrets that were left in the example of a `.env` file, among its examples."""
    return [
        secret
        for secret in from_dotenv(text)
        if is_opaque(secret.value) or has_key_shape(secret.value)
    ]


def from_yaml(text: str) -> list[Secret]:
    """Find the secrets of a flat YAML settings file, such as Aider's.

    A setting is `name: value`, or a name and a list of `- name=value` below it. Only these two
    forms are read: a credential elsewhere in a YAML file has to be known from the environment.
    """
    return from_variables(_yaml_pairs(text))


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


def from_settings(text: str) -> list[Secret]:
    """Find the secrets of lines: `name = value`, `name: value`, or URLs with a password."""
    settings = ((name, value) for name, _, value in _SETTING.findall(text))
    return from_variables([*settings, *(("url", line) for line in text.splitlines())])


def from_npmrc(text: str) -> list[Secret]:
    """Find the secrets of an `.npmrc`: tokens, and passwords that are kept in base64."""
    return maskable(_npm_secrets(text))


def _npm_secrets(text: str) -> Iterator[Secret]:
    for name, _, value in _NPM_SETTING.findall(text):
        setting = name.rpartition(":")[2]
        yield from from_variables([(setting, value)])
        if setting in ("_auth", "_password"):
            yield from basic(setting, value)


def from_netrc(text: str) -> list[Secret]:
    """Find the passwords of a `.netrc`."""
    words = re.sub(r"(?m)^\s*#.*", "", text).split()
    pairs = pairwise(words)
    return maskable(
        Secret(name, value.strip('"')) for name, value in pairs if name in ("password", "account")
    )


def from_credentials_json(text: str | bytes) -> list[Secret]:
    """Find the tokens in a file where a program keeps them, whole or a part of it."""
    parsed = parse(text)
    if parsed is None:
        data = text.encode(errors="replace") if isinstance(text, str) else text
        return maskable(_tokens(pairs_in(data, _is_token)))
    return maskable(_tokens(leaves(parsed, lambda _name, _value: True)))


def _tokens(fields: Iterable[Secret]) -> Iterator[Secret]:
    for name, value in fields:
        if _is_token(name, value):
            yield from parts(name, value)
            yield from _key_lines(value)
        yield from (Secret(name, password) for password in passwords(value))


def _is_token(name: str, value: str) -> bool:
    if SCHEME.fullmatch(value) or has_key_shape(value.strip()):
        return True
    return name in FILE_FIELDS or (is_telling(name) and not is_path(value))


def from_private_key(text: str) -> list[Secret]:
    """Find the lines of private keys: one by one, for programs show them numbered or indented."""
    return maskable(_key_lines(text))


def _key_lines(text: str) -> Iterator[Secret]:
    for block in _KEY_BLOCK.findall(text):
        yield from (Secret("private key", line) for line in _KEY_LINE.findall(block))


Reader = Callable[[str], list[Secret]]

_CREDENTIALS = ("*credentials*", "*credential*", "secrets", "secrets.*", "*service-account*")
_FORMATS: dict[str, Reader] = {
    ".json": from_credentials_json,
    ".yml": from_yaml,
    ".yaml": from_yaml,
    ".env": from_dotenv,
    **dict.fromkeys(("", ".toml", ".ini", ".cfg", ".conf", ".txt", ".properties"), from_settings),
}
"""How a file that is called like credentials is read: by its ending. Programs are not."""

_READERS: tuple[tuple[tuple[str, ...], Reader], ...] = (
    ((".env", ".env.*", ".envrc", "*.env"), from_dotenv),
    ((".npmrc", ".yarnrc"), from_npmrc),
    ((".netrc", "_netrc"), from_netrc),
    ((".pypirc", "pip.conf", ".git-credentials", ".my.cnf", "*.tfvars"), from_settings),
    ((".yarnrc.yml", ".aider.conf.yml"), from_yaml),
    ((".mcp.json", ".dockercfg", ".dockerconfigjson", "auth.json"), from_credentials_json),
    (_KEY_NAMES, from_private_key),
)


def reader_for(path: str) -> Reader | None:
    """Return what finds the secrets of a file that is called like one that has some."""
    name = PurePosixPath(path).name
    if _matches(name, (".env*", "*.env*")) and name.endswith(_EXAMPLES):
        return from_dotenv_example
    for patterns, reader in _READERS:
        if _matches(name, patterns):
            return reader
    if _matches(name.lower(), _CREDENTIALS):
        return _FORMATS.get(PurePosixPath(name.lower()).suffix)
    return None


def is_private_key(path: str, data: bytes) -> bool:
    """Tell whether a file is a private key or a store of keys, and not to be kept."""
    name = PurePosixPath(path).name.lower()
    if _matches(name, _KEY_STORES):
        return True
    text = data.lstrip()[:128]
    begins = text.startswith(b"-----BEGIN ") and b"PRIVATE KEY" in text.partition(b"\n")[0]
    return begins or (_matches(name, _KEY_NAMES) and b"PRIVATE KEY-----" in data)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return bool(_pattern(patterns).match(name))


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))
