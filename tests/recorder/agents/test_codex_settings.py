from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents import codex_settings
from traceproof.recorder.agents.codex import Codex
from traceproof.recorder.agents.codex_settings import Endpoint

LOGIN = '{"OPENAI_API_KEY": null, "tokens": {"access_token": "x"}}'
PROVIDER = """
model_provider = "ours"
[model_providers.ours]
base_url = "https://gw.example/openai/v1"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of the settings."""
    folder = tmp_path / ".codex"
    folder.mkdir()
    return folder


def env(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home.parent), **more}


def test_by_default_it_asks_the_api(home: Path) -> None:
    default = Endpoint("openai_base_url", "https://api.openai.com", "/v1")

    assert codex_settings.endpoint(env(home)) == default
    assert codex_settings.endpoint({}) == default
    (home / "config.toml").write_text("not = [toml")
    (home / "auth.json").write_text("not json")
    assert codex_settings.endpoint(env(home)) == default


def test_with_a_login_it_asks_chatgpt_unless_there_is_a_key(home: Path) -> None:
    (home / "auth.json").write_text(LOGIN)

    assert codex_settings.address(env(home)) == "https://chatgpt.com/backend-api/codex"
    assert codex_settings.address(env(home, CODEX_API_KEY="k")) == "https://api.openai.com"
    (home / "auth.json").write_text('{"OPENAI_API_KEY": "k", "tokens": null}')
    assert codex_settings.address(env(home)) == "https://api.openai.com"


def test_a_gateway_or_a_provider_of_its_settings_goes_first(home: Path) -> None:
    (home / "auth.json").write_text(LOGIN)
    (home / "config.toml").write_text('openai_base_url = "https://gw.example/v1"')
    assert codex_settings.endpoint(env(home)) == Endpoint(
        "openai_base_url", "https://gw.example/v1"
    )

    (home / "config.toml").write_text(PROVIDER)
    assert codex_settings.endpoint(env(home)) == Endpoint(
        "model_providers.ours.base_url", "https://gw.example/openai/v1"
    )


def test_the_hosts_of_its_settings_are_to_be_decrypted(home: Path) -> None:
    (home / "config.toml").write_text('chatgpt_base_url = "https://chat.example/x"\n' + PROVIDER)

    assert Codex().configured_hosts(env(home)) == {"chat.example", "gw.example"}
    assert Codex().configured_hosts({"CODEX_HOME": str(home)}) == {"chat.example", "gw.example"}
    (home / "config.toml").write_text("model_providers = 3")
    assert Codex().configured_hosts(env(home)) == set()
