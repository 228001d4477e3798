from __future__ import annotations

import base64
from pathlib import Path

import pytest

from traceproof.proxy.team.access import Credentials, TeamAccess, parse_authorization, split_user
from traceproof.proxy.team.users import UserFile


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def pages(method: str, path: str, allowed: bool) -> tuple[int, str, bytes]:
    return 200, "text/plain", f"{method} {path} {allowed}".encode()


class Door:
    """An access with one user, ada."""

    def __init__(self, folder: Path, *, beyond: bool, users: bool = True) -> None:
        file = UserFile(folder / "users.json")
        self.token = file.add("ada") if users else ""
        self.bob = file.add("bob") if users else ""
        self.access = TeamAccess(file, beyond=beyond, pages=pages, delay=lambda: 0.25)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, beyond=True)


@pytest.fixture
def loopback(tmp_path: Path) -> Door:
    return Door(tmp_path, beyond=False, users=False)


def test_a_user_is_admitted_by_name_and_token(door: Door) -> None:
    assert door.access.user(basic(f"ada:{door.token}")) == "ada"
    assert door.access.user(basic(f"ada+task7:{door.token}")) == "ada+task7"
    assert door.access.user(f"Bearer {door.token}") == "ada"
    assert door.access.user(f"basic {basic(f'ada:{door.token}')[6:]}") == "ada"


def test_nobody_else_is(door: Door) -> None:
    refused = [
        "",
        "Basic",
        "Basic !",
        "Bearer",
        "Bearer  ",
        "Digest x",
        basic("ada"),
        basic("ada:"),
        basic(f"bob:{door.token}"),
        basic(f"ada:{door.bob}"),
        basic(f"ada:{door.token}x"),
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ]
    assert [door.access.user(value) for value in refused] == [None] * len(refused)


def test_a_label_that_is_none_is_left_out(door: Door) -> None:
    assert door.access.user(basic(f"ada+a b:{door.token}")) == "ada"
    assert door.access.user(basic(f"ada+{'x' * 65}:{door.token}")) == "ada"


def test_the_path_of_a_base_url_admits_too(door: Door) -> None:
    strip = door.access.strip
    assert strip(f"/@ada:{door.token}/v1/messages?a=/@b") == ("ada", "/v1/messages?a=/@b")
    assert strip(f"/%40ada:{door.token}/v1") is None
    assert strip(f"/@ada%2Btask7:{door.token}") == ("ada+task7", "/")
    assert strip(f"/@ada:{door.token}?x=1") == ("ada", "/?x=1")
    assert [strip("/v1/messages"), strip("/@ada:no/v1"), strip("")] == [None] * 3


def test_on_this_machine_a_name_is_taken_as_given(loopback: Door) -> None:
    access = loopback.access
    assert [access.user(""), access.user(basic("ada:")), access.user(basic("ada+x:pw"))] == [
        "",
        "ada",
        "ada+x",
    ]
    assert access.user(basic("no name at all:pw")) == ""
    stripped = access.strip
    assert stripped("/v1/messages") == ("", "/v1/messages")
    assert stripped("/@ada/v1/messages") == ("ada", "/v1/messages")


def test_once_there_is_a_user_this_machine_needs_a_token_too(tmp_path: Path) -> None:
    door = Door(tmp_path, beyond=False)
    assert door.access.required
    assert [door.access.user(""), door.access.user(basic(f"ada:{door.token}"))] == [None, "ada"]


def test_figures_are_for_users_where_others_can_ask(door: Door, loopback: Door) -> None:
    def shown(access: TeamAccess, value: str) -> bytes:
        page = access.page("GET", "/metrics?x", value)
        return page[2] if page else b""

    assert shown(door.access, "") == b"GET /metrics False"
    assert shown(door.access, basic("ada:no")) == b"GET /metrics False"
    assert shown(door.access, basic(f"ada:{door.token}")) == b"GET /metrics True"
    assert shown(door.access, f"Bearer {door.token}") == b"GET /metrics True"
    assert shown(loopback.access, "") == b"GET /metrics True"


def test_what_a_user_came_in_with_is_known_for_masking(door: Door) -> None:
    assert door.access.secrets_of("ada") == []
    door.access.user(basic(f"ada+x:{door.token}"))
    (secret,) = door.access.secrets_of("ada")
    assert secret == ("TRACEPROOF_TOKEN", door.token)
    assert door.access.secrets_of("bob") == []


def test_how_long_to_wait_is_the_recordings_word(door: Door) -> None:
    assert door.access.delay() == 0.25


def test_parts() -> None:
    assert split_user("ada+a+b") == ("ada", "a+b")
    assert parse_authorization(basic("ada:a:b")) == Credentials("ada", "", "a:b")


def test_who_was_removed_last_is_not_let_in_by_his_name(tmp_path: Path) -> None:
    door = Door(tmp_path, beyond=False)
    users = UserFile(tmp_path / "users.json")
    for name in ("ada", "bob"):
        users.remove(name)

    given = ["", basic("ada:"), basic(f"ada:{door.token}")]
    assert [door.access.user(value) for value in given] == [None] * 3
    users.path.unlink()
    assert [door.access.user(value) for value in given] == [None] * 3
