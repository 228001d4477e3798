from __future__ import annotations

from traceproof.proxy.testing import Say, Turn, Usage, Use
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.wire import Reply, output_tokens, pieces, sse


def test_ids_tell_their_turn_and_differ_by_conversation() -> None:
    reply = Reply(Turn([]), 2, 7, "one", "m")

    assert reply.mark("p0").startswith("s2t7p0")
    assert reply.mark("p0") == reply.mark("p0")
    assert reply.mark("p0") != reply._replace(conversation="two").mark("p0")
    assert "t7" not in reply._replace(scene=-1).mark("p0")


def test_events_are_framed() -> None:
    assert sse(b"{}", "ping") == b"event: ping\ndata: {}\n\n"
    assert sse("[DONE]") == b"data: [DONE]\n\n"


def test_an_empty_text_is_one_piece() -> None:
    assert list(pieces("", 4)) == [""]
    assert list(pieces("abcde", 4)) == ["abcd", "e"]


def test_output_is_counted_unless_scripted() -> None:
    parts: list[AnyPart] = [Say("12345678"), Use("ls", {"a": 1})]

    assert output_tokens(Turn(parts)) == (8 + len('ls{"a":1}')) // 4 + 1
    assert output_tokens(Turn(parts, usage=Usage(output=5))) == 5
