from __future__ import annotations

import gzip
import json
from typing import Any

from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.team.joining import Joined, Joiner, Key, agent_of

CLAUDE = {"User-Agent": "claude-cli/2.1.197 (external, cli)"}
OPENCODE = {"User-Agent": "opencode/1.18.33"}
OPENAI = {"User-Agent": "OpenAI/Python 1.99.1"}
MESSAGES = "/v1/messages?beta=true"


def call(
    *texts: str,
    user: str = "",
    headers: dict[str, str] | None = None,
    path: str = MESSAGES,
    status: int = 200,
    gzipped: bool = False,
    **body: Any,
) -> Exchange:
    """Return a call that asks with these texts, the model's in between."""
    said = [
        {"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)
    ]
    data = json.dumps({"model": "m", "messages": said, **body}).encode() if texts else b""
    fields = dict(headers or OPENAI)
    if gzipped:
        data, fields["Content-Encoding"] = gzip.compress(data), "gzip"
    method = "POST" if texts else "GET"
    exchange = Exchange(
        method, "https", "api.anthropic.com", 443, path, "HTTP/1.1", list(fields.items()), 1
    )
    exchange.request_chunks.append(Chunk(2, data))
    exchange.user, exchange.status, exchange.response_started = user, status, 3
    return exchange


class Desk:
    """A joiner, and the sessions that it has opened."""

    def __init__(self) -> None:
        self.joiner = Joiner()
        self.open: dict[Key, None] = {}

    def join(self, exchange: Exchange) -> Key:
        """Join an exchange that ends at once."""
        joined = self.joined(exchange)
        self.joiner.ended(exchange, joined)
        return joined.key

    def joined(self, exchange: Exchange) -> Joined:
        joined = self.joiner.join(exchange, self.open)
        self.open[joined.key] = None
        return joined

    def close(self, key: Key) -> None:
        del self.open[key]
        self.joiner.forget(key)


def claude(session: str) -> dict[str, str]:
    return {**CLAUDE, "X-Claude-Code-Session-Id": session}


# --- named sessions -------------------------------------------------------------------------------


def test_a_session_that_a_header_names_is_exact() -> None:
    desk = Desk()

    assert desk.join(call("a", headers=claude("s1"))) == ("", "exact", "claude-code", "s1")
    other = {**OPENCODE, "x-session-id": "ses_1"}
    assert desk.join(call("a", user="ada", headers=other)) == ("ada", "exact", "opencode", "ses_1")


def test_a_session_that_the_body_names_is_exact_encoded_or_not() -> None:
    session = "0a0a0a0a-0000-0000-0000-000000000001"
    metadata = {"user_id": f"user_x_account_y_session_{session}"}
    for gzipped in (False, True):
        exchange = call("a", headers=CLAUDE, metadata=metadata, gzipped=gzipped)
        assert Desk().join(exchange) == ("", "exact", "claude-code", session)


def test_two_users_never_share_a_session_whatever_they_name() -> None:
    desk = Desk()
    ada, bob = (desk.join(call("a", user=user, headers=claude("s1"))) for user in ("ada", "bob"))
    assert ada != bob
    ada, bob = (desk.join(call("a", user=user)) for user in ("ada", "bob"))
    assert ada != bob
    assert desk.join(call("a")) not in {ada, bob}


# --- users ----------------------------------------------------------------------------------------


def test_without_a_session_the_user_is_one_for_each_agent_and_label() -> None:
    desk = Desk()

    first = desk.join(call("a", user="ada"))
    assert first == ("ada", "user", "generic", "")
    assert desk.join(call("quite another", user="ada")) == first
    assert desk.join(call("a", user="ada+task7")) == ("ada", "user", "generic", "task7")
    gemini = {"User-Agent": "GeminiCLI/0.61.0/gemini-2.5-pro (linux; x64)"}
    assert desk.join(call("a", user="ada", headers=gemini))[:3] == ("ada", "user", "gemini-cli")


def test_a_label_may_name_an_agent_that_its_calls_do_not_tell() -> None:
    assert agent_of({"user-agent": "OpenAI/Python 1.99"}, "aider").name == "aider"
    assert agent_of({"user-agent": "OpenAI/Python 1.99"}, "task7").name == "generic"
    assert agent_of({"user-agent": "claude-cli/2.1"}, "aider").name == "claude-code"
    assert agent_of({}).name == "generic"


# --- conversations --------------------------------------------------------------------------------


def test_without_a_user_the_conversation_tells_and_that_is_an_inference() -> None:
    desk = Desk()
    one, two = desk.join(call("a")), desk.join(call("x"))

    assert [one.join, two.join] == ["inferred", "inferred"]
    assert one != two
    assert desk.join(call("a", "b", "c")) == one
    assert desk.join(call("x", "y", "z")) == two
    assert desk.join(call("a", "b", "c", "d", "e")) == one


def test_a_failed_call_and_its_retry_are_of_one_session() -> None:
    desk = Desk()
    first = desk.join(call("a", status=529))

    assert desk.join(call("a")) == first
    assert desk.join(call("a")) != first  # it was answered: the same words begin anew


def test_the_same_words_at_once_are_two_conversations() -> None:
    desk = Desk()
    assert desk.joined(call("a")).key != desk.joined(call("a")).key


def test_a_side_call_goes_with_the_only_session_there_is() -> None:
    desk = Desk()
    main = desk.join(call("a", headers=CLAUDE))
    schema: dict[str, Any] = {"format": {"schema": {"properties": {"title": {}}}}}

    assert desk.join(call("a title", headers=CLAUDE, output_config=schema)) == main
    desk.join(call("another", headers=CLAUDE))
    assert desk.join(call("a title", headers=CLAUDE, output_config=schema)) != main


def test_a_session_that_was_closed_does_not_come_back() -> None:
    desk = Desk()
    one = desk.join(call("a"))
    desk.close(one)

    assert desk.join(call("a", "b", "c")) != one


# --- other calls ----------------------------------------------------------------------------------


def test_a_call_of_another_kind_goes_with_the_only_session_of_its_user_and_agent() -> None:
    desk = Desk()
    ada = desk.join(call("a", user="ada", headers=claude("s1")))
    desk.join(call("a", user="bob", headers=claude("s2")))
    desk.join(call("a", user="ada"))

    settings = "/api/claude_code/settings"
    assert desk.join(call(user="ada", headers=CLAUDE, path=settings)) == ada
    desk.join(call("a", user="ada", headers=claude("s3")))
    assert desk.join(call(user="ada", headers=CLAUDE, path=settings)) == (
        "ada",
        "other",
        "claude-code",
        "",
    )


def test_what_does_not_tell_its_agent_goes_with_the_only_session_of_its_user() -> None:
    desk = Desk()
    plain = call(user="ada", headers={"User-Agent": "node"}, path="/x")

    assert desk.join(plain) == ("ada", "other", "generic", "")
    ada = desk.join(call("a", user="ada", headers=claude("s1")))
    assert desk.join(plain) == ada


def test_a_label_keeps_other_calls_apart_too() -> None:
    desk = Desk()
    one, two = desk.join(call("a", user="ada+1")), desk.join(call("a", user="ada+2"))

    assert desk.join(call(user="ada+1", path="/x")) == one
    assert desk.join(call(user="ada+2", path="/x")) == two
    assert desk.join(call(user="ada", path="/x")).join == "other"


def test_what_cannot_be_read_is_still_somewhere() -> None:
    broken = call("a")
    broken.request_chunks = [Chunk(2, b'{"messages": [')]

    assert Desk().join(broken).join == "inferred"
    broken.request_headers = [("content-encoding", "gzip")]
    assert Desk().join(broken).join == "inferred"
