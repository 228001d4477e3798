"""The users of a shared proxy: a file with names, and of each token its SHA-256 alone.

A token is shown once, when it is made; who has lost it is given another. The file is read again
when it has changed, so that nobody has to restart the proxy.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from traceproof.recorder.patterns import TokenRule

log = logging.getLogger("traceproof.proxy")

FILE = "users.json"
TOKEN_RULE = TokenRule("TRACEPROOF_TOKEN", ("tpx_",), r"A-Za-z0-9_-", 40)
"""What a token looks like, so that one that is not known here is masked too."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class User(msgspec.Struct, frozen=True):
    """A user as the file has him; `added` is a date and time (ISO 8601)."""

    name: Annotated[str, msgspec.Meta(pattern=rf"^{_NAME.pattern}\Z")]
    token_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    added: str = ""


class Users(msgspec.Struct, frozen=True):
    """All that may use a proxy."""

    users: tuple[User, ...] = ()

    @property
    def names(self) -> list[str]:
        """Their names, as they were added."""
        return [user.name for user in self.users]

    def owner(self, token: str, name: str = "") -> str | None:
        """Return whose a token is, None if it is nobody's, or not that user's."""
        given = hashed(token)
        for user in self.users:
            known = hmac.compare_digest(user.token_sha256, given)
            if known and name in ("", user.name):
                return user.name
        return None


class UserFile:
    """The users in a file; a file that is not there has none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state: tuple[int, int, int] | None = None
        self._users = Users()
        self._trouble = ""
        self.found = False
        """Whether the file was there at some time."""

    def current(self) -> Users:
        """Return the users; if the file cannot be read now, those of before.

        Called on the relay's loop: it costs one `stat` while nothing has changed.
        """
        try:
            self.reload()
            self._trouble = ""
        except (OSError, ValueError) as error:
            if str(error) != self._trouble:  # every call asks, and would fill the log
                log.warning("the users of before stay: %s", error)
            self._trouble = str(error)
        return self._users

    def reload(self) -> Users:
        """Read the file, if it has changed.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no file of users.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._state, self._users = None, Users()
            return self._users
        self.found = True
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        if state != self._state:
            self._state = state
            self._users = _decode(self.path.read_bytes(), self.path)
        return self._users

    def add(self, name: str) -> str:
        """Add a user, and return the token, which is kept nowhere.

        Raises:
            ValueError: the name is taken, or is none.
            OSError: the file cannot be written.
        """
        if not is_name(name):
            raise ValueError(
                f"{name!r} is no user name: letters, digits, '.', '_' and '-', at most 64 of them"
            )
        token = new_token()
        with self._changing():
            users = self.reload().users
            if name in self._users.names:
                raise ValueError(f"{name} has a token already: remove the user to make another")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._write(Users((*users, User(name, hashed(token), now))))
        return token

    def remove(self, name: str) -> None:
        """Remove a user: his token admits nobody from now on.

        Raises:
            LookupError: there is no such user.
            OSError: the file cannot be written.
        """
        with self._changing():
            users = self.reload()
            if name not in users.names:
                raise LookupError(f"there is no user {name} in {self.path}")
            self._write(Users(tuple(user for user in users.users if user.name != name)))

    def _write(self, users: Users) -> None:
        content = msgspec.json.format(msgspec.json.encode(users), indent=2) + b"\n"
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".users-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                self._give_back(file.fileno())
            Path(temporary).replace(self.path)
        except OSError:
            Path(temporary).unlink()
            raise

    def _give_back(self, handle: int) -> None:
        """Give a file that root has made to the owner of its folder, as whom the proxy runs."""
        if os.geteuid() == 0:
            folder = self.path.parent.stat()
            os.fchown(handle, folder.st_uid, folder.st_gid)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep others from changing the file meanwhile."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(lock, flags, 0o600)
        try:
            self._give_back(handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def is_name(text: str) -> bool:
    """Tell whether a text can be a user's name."""
    return bool(_NAME.fullmatch(text))


def new_token() -> str:
    """Make a token that nobody can guess."""
    return f"tpx_{secrets.token_urlsafe(32)}"


def hashed(token: str) -> str:
    """Return what is kept of a token: it is random, so a plain hash tells nothing of it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _decode(data: bytes, path: Path) -> Users:
    try:
        return msgspec.json.decode(data, type=Users)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no file of users ({error})") from None
