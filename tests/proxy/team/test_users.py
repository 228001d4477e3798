from __future__ import annotations

import errno
import json
import logging
import os
import stat
from pathlib import Path

import pytest

from traceproof.proxy.team.users import TOKEN_RULE, UserFile, hashed, is_name, new_token


@pytest.fixture
def users(tmp_path: Path) -> UserFile:
    return UserFile(tmp_path / "users.json")


def test_a_file_that_is_not_there_has_no_users(users: UserFile) -> None:
    assert users.reload().users == ()
    assert users.current().names == []


def test_the_file_holds_no_token_and_is_its_owners_alone(users: UserFile) -> None:
    token = users.add("ada")

    text = users.path.read_text()
    assert token not in text
    assert json.loads(text)["users"][0]["token_sha256"] == hashed(token)
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600


def test_a_token_is_its_owners(users: UserFile) -> None:
    ada, bob = users.add("ada"), users.add("bob")

    known = users.current()
    assert known.names == ["ada", "bob"]
    assert [known.owner(ada), known.owner(bob, "bob")] == ["ada", "bob"]
    assert [known.owner(ada, "bob"), known.owner("tpx_wrong"), known.owner("")] == [None] * 3


def test_a_change_is_seen_without_a_restart(users: UserFile) -> None:
    assert users.current().users == ()
    other = UserFile(users.path)
    token = other.add("ada")
    assert users.current().owner(token) == "ada"
    other.remove("ada")
    assert users.current().owner(token) is None


def test_a_user_is_added_once_and_removed_once(users: UserFile) -> None:
    users.add("ada")
    with pytest.raises(ValueError, match="ada has a token already"):
        users.add("ada")
    users.remove("ada")
    with pytest.raises(LookupError, match="there is no user ada"):
        users.remove("ada")


@pytest.mark.parametrize("name", ["", "a b", "ada:x", "ada+x", "ada@x", "../x", "x" * 65, "é"])
def test_a_name_is_plain(users: UserFile, name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="no user name"):
        users.add(name)


def test_a_file_that_is_none_is_told_and_later_keeps_the_users_of_before(
    users: UserFile, caplog: pytest.LogCaptureFixture
) -> None:
    token = users.add("ada")
    assert users.current().owner(token) == "ada"
    users.path.write_text("{")
    with caplog.at_level(logging.WARNING):
        assert users.current().owner(token) == "ada"
    assert "no file of users" in caplog.text
    with pytest.raises(ValueError, match="no file of users"):
        UserFile(users.path).reload()


def test_every_token_has_the_shape_that_is_masked() -> None:
    for _ in range(100):
        token = new_token().encode()
        data = b'"http://ada:' + token + b'@proxy:8080"'
        assert [data[slice(*span)] for span in TOKEN_RULE.find(data, 0)] == [token]


@pytest.mark.parametrize(
    "user",
    [
        {"name": "ada", "token_sha256": "é" * 64},
        {"name": "ada", "token_sha256": ""},
        {"name": "ada+x", "token_sha256": "0" * 64},
        {"name": "ada\n", "token_sha256": "0" * 64},
    ],
)
def test_a_file_that_was_written_by_hand_is_read_with_care(
    users: UserFile, user: dict[str, str]
) -> None:
    users.path.write_text(json.dumps({"users": [user]}))
    with pytest.raises(ValueError, match="no file of users"):
        users.reload()


def test_trouble_that_lasts_is_told_once(
    users: UserFile, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = users.add("ada")
    users.current()

    def fail(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", fail)
        assert [users.current().owner(token) for _ in range(5)] == ["ada"] * 5
    users.current()
    assert len(caplog.records) == 1


def test_what_root_has_changed_can_still_be_read_and_changed_by_the_proxy(users: UserFile) -> None:
    folder = users.path.parent
    if os.geteuid() == 0:  # for anybody else it is so anyway
        os.chown(folder, 12345, 12345)
    users.add("ada")

    owner = folder.stat().st_uid
    assert {path.stat().st_uid for path in folder.iterdir()} == {owner}
