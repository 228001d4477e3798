from __future__ import annotations

from traceproof.proxy.testing.answer import Answer, reason

CHUNKS = [b"one", b"two"]


def test_a_body_of_known_length() -> None:
    answer = Answer(200, [("a", "b")], CHUNKS)

    assert answer.head == b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 6\r\n\r\n"
    assert answer.script == [answer.head, b"one", b"two"]


def test_a_chunked_body_ends_with_its_last_write() -> None:
    answer = Answer(200, [], CHUNKS, "chunked")

    assert answer.head.endswith(b"transfer-encoding: chunked\r\n\r\n")
    assert answer.writes == [b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n"]
    assert Answer(200, [], [], "chunked").writes == [b"0\r\n\r\n"]


def test_a_broken_body_has_no_end() -> None:
    assert Answer(200, [], CHUNKS, "chunked", ending="closed").writes[-1] == b"3\r\ntwo\r\n"


def test_a_body_that_the_closing_connection_ends() -> None:
    assert b"connection: close" in Answer(200, [], CHUNKS, "close").head


def test_a_silent_answer_sends_nothing() -> None:
    assert Answer(200, [], CHUNKS, silent=True).script == [b""]


def test_unknown_statuses_have_words_too() -> None:
    assert (reason(404), reason(529), reason(599)) == ("Not Found", "Overloaded", "Unknown")
