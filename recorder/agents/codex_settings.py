"""What a user's settings of Codex say on where it asks. Read, never written, and no secret kept."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_API = "https://api.openai.com"
_CHATGPT = "https://chatgpt.com/backend-api/codex"
_OWN = "openai_base_url"
_KEY = "CODEX_API_KEY"
"""Goes before a login."""


class Endpoint(NamedTuple):
    """Where the model is asked, and the setting that says so.

    `suffix` is a path that Codex is to be told after our address; any other path of `url` it must
    not see, for one like ChatGPT's makes it look for an account's own server.
    """

    setting: str
    url: str
    suffix: str = ""


def folder(env: Mapping[str, str], home: Path) -> Path:
    """Return the folder of the settings and the login."""
    return Path(env["CODEX_HOME"]) if env.get("CODEX_HOME") else home / ".codex"


def endpoint(env: Mapping[str, str]) -> Endpoint:
    """Return where Codex asks: a provider of the settings, a gateway, ChatGPT or the API."""
    config = _config(env)
    name = str(config.get("model_provider", "openai"))
    provider = _tables(config).get(name, {})
    if isinstance(provider.get("base_url"), str):
        return Endpoint(f"model_providers.{name}.base_url", provider["base_url"])
    own = config.get(_OWN)
    if isinstance(own, str) and own:
        return Endpoint(_OWN, own)
    return Endpoint(_OWN, _CHATGPT) if _logged_in(env) else Endpoint(_OWN, _API, "/v1")


def address(env: Mapping[str, str]) -> str:
    """Return the URL at which Codex asks."""
    return endpoint(env).url


def urls(env: Mapping[str, str]) -> Iterator[str]:
    """Yield every address that the settings name."""
    config = _config(env)
    found = [config.get(name) for name in (_OWN, "chatgpt_base_url")]
    found += [table.get("base_url") for table in _tables(config).values()]
    yield from (url for url in found if isinstance(url, str))


def _config(env: Mapping[str, str]) -> dict[str, Any]:
    """Read the settings; those that cannot be read, Codex itself will complain about."""
    try:
        return tomllib.loads((_home(env) / "config.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _tables(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    providers = config.get("model_providers")
    tables = providers.items() if isinstance(providers, dict) else ()
    return {name: table for name, table in tables if isinstance(table, dict)}


def _logged_in(env: Mapping[str, str]) -> bool:
    """Tell whether Codex asks with a login of ChatGPT."""
    if env.get(_KEY):
        return False
    try:
        login = json.loads((_home(env) / "auth.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(login, dict) and bool(login.get("tokens"))


def _home(env: Mapping[str, str]) -> Path:
    return folder(env, Path(env.get("HOME", "")))
