"""Which session an exchange is of: the session it names, else its user, else its conversation.

Pure: it looks at an exchange and at what it has seen before, and opens nothing. Users are kept
apart in every case: a key never leaves its user.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from traceproof.proxy import dialects, unread
from traceproof.proxy.answers import header
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.exchange import Exchange
from traceproof.proxy.results import failure
from traceproof.proxy.team.access import split_user
from traceproof.proxy.team.prefix import Prefixes, names_of
from traceproof.recorder import agents
from traceproof.recorder.agents import MAIN, Agent, ModelCall, text_of
from traceproof.recorder.secrets import parse

Join: TypeAlias = Literal["exact", "user", "inferred", "other"]


class Key(NamedTuple):
    """A session: `name` is what the agent calls it, the user's label, or a number of ours."""

    user: str
    join: Join
    agent: str
    name: str = ""


class Joined(NamedTuple):
    """The session of an exchange, the adapter of its agent, and what its conversation begins with.

    The last is empty where that does not matter.
    """

    key: Key
    agent: Agent
    names: list[int]


class Joiner:
    """Tells the sessions of exchanges; used from one thread."""

    def __init__(self) -> None:
        self._prefixes: Prefixes[Key] = Prefixes()
        self._number = 0

    def join(self, exchange: Exchange, open_: Collection[Key]) -> Joined:
        """Return the session of an exchange, `open_` being those under way."""
        user, label = split_user(exchange.user)
        headers = {name.lower(): value for name, value in exchange.request_headers}
        agent = agent_of(headers, label)
        dialect = dialects.find(exchange.method, exchange.host, exchange.path)
        session = agent.identify(headers, {}).session_id
        if session:
            return Joined(Key(user, "exact", agent.name, session), agent, [])
        if dialect is None:
            return Joined(_of_other_call(user, label, agent, open_), agent, [])
        body = _body(exchange)
        parsed = parse(body)
        head = parsed if isinstance(parsed, dict) else {}
        session = agent.identify(headers, head).session_id
        if session:
            return Joined(Key(user, "exact", agent.name, session), agent, [])
        if user:
            return Joined(Key(user, "user", agent.name, label), agent, [])
        path = exchange.path.partition("?")[0]
        known = [key for key in open_ if key[:3] == ("", "inferred", agent.name)]
        if len(known) == 1 and agent.purpose(_call(dialect, path, headers, head)) != MAIN:
            return Joined(known[0], agent, [])
        return self._infer(agent, names_of(dialect, body))

    def _infer(self, agent: Agent, names: list[int]) -> Joined:
        key = self._prefixes.find(names)
        if key is None:
            self._number += 1
            key = Key("", "inferred", agent.name, str(self._number))
        self._prefixes.add(names, key)
        return Joined(key, agent, names)

    def ended(self, exchange: Exchange, joined: Joined) -> None:
        """Take note of how a call of a session ended: a failed one may be sent again."""
        if joined.names and failure(exchange, complete=not exchange.error)[0] != "complete":
            self._prefixes.failed(joined.names, joined.key)

    def forget(self, key: Key) -> None:
        """Forget a session that is over: whatever comes begins another."""
        if key.join == "inferred":
            self._prefixes.forget(key)


def agent_of(headers: Mapping[str, str], label: str = "") -> Agent:
    """Return the adapter of the agent that sent a call: its headers tell, else the user's label."""
    agent = agents.recognise_call(headers)
    return agents.AGENTS.get(label, agent) if agent.name == _UNKNOWN else agent


_UNKNOWN = agents.recognise_call({}).name


def _of_other_call(user: str, label: str, agent: Agent, open_: Collection[Key]) -> Key:
    """Return the session of a call that is no model call.

    That is the one under way of the same user and agent, if there is one and no second; of any
    agent, where a call does not tell whose it is. Else what belongs to no session is kept by user.
    """
    known = [key for key in open_ if key.user == user and key.join != "other"]
    if label:
        known = [key for key in known if key.join != "user" or key.name == label]
    if agent.name != _UNKNOWN:
        known = [key for key in known if key.agent == agent.name]
    return known[0] if len(known) == 1 else Key(user, "other", agent.name)


def _call(
    dialect: Dialect, path: str, headers: Mapping[str, str], head: Mapping[str, Any]
) -> ModelCall:
    """Return what tells a side call from a turn, so far as it is cheap to read."""
    layout = dialect.layout
    rest = {name: value for name, value in head.items() if name not in layout}
    system = head.get(layout.system) if layout.system else None
    said = text_of(dialect.system(system)) if system else ""
    return ModelCall(path, headers, rest, said)


def _body(exchange: Exchange) -> bytes:
    raw = b"".join(chunk.data for chunk in exchange.request_chunks)
    return unread.undone(header(exchange.request_headers, "content-encoding"), raw)[0]
