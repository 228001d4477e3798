from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder.store import Store
from traceproof.team.settings import Address, TeamSettings, parse_address


@pytest.mark.parametrize(
    ("text", "address", "beyond"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080), False),
        ("localhost:0", Address("localhost", 0), False),
        ("[::1]:80", Address("::1", 80), False),
        ("0.0.0.0:8080", Address("0.0.0.0", 8080), True),
        ("[::]:8080", Address("::", 8080), True),
        ("build-1:65535", Address("build-1", 65535), True),
    ],
)
def test_addresses_are_read(text: str, address: Address, beyond: bool) -> None:
    assert parse_address(text) == address
    assert address.beyond is beyond


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host:", "host:x", "h:65536", "::1:80"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="--listen takes HOST:PORT"):
        parse_address(text)


def test_an_address_as_a_url() -> None:
    assert Address("127.0.0.1", 80).url == "http://127.0.0.1:80"
    assert Address("::1", 80).url == "http://[::1]:80"


def test_what_can_be_checked_at_once_is(tmp_path: Path) -> None:
    def settings(**more: Any) -> TeamSettings:
        return TeamSettings(Address("127.0.0.1", 0), Store(tmp_path), {}, **more)

    settings(hosts=("gateway.example",), routes=("api.openai.com=http://127.0.0.1:1",)).check()
    with pytest.raises(ValueError, match="--host takes"):
        settings(hosts=("http://x",)).check()
    with pytest.raises(ValueError, match="--route takes"):
        settings(routes=("x",)).check()
    assert settings().users_file == tmp_path / "users.json"
