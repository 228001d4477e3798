from __future__ import annotations

import pytest

from traceproof.recorder.mcp import jsonrpc


def kinds(line: bytes) -> list[tuple[bool, bool, str]]:
    return [(each.asks, each.answers, each.key) for each in jsonrpc.read(line)]


def test_a_request_an_answer_and_a_notification() -> None:
    assert kinds(b'{"jsonrpc":"2.0","id":1,"method":"ping"}') == [(True, False, "1")]
    assert kinds(b'{"jsonrpc":"2.0","id":"1","result":{}}') == [(False, True, '"1"')]
    assert kinds(b'{"jsonrpc":"2.0","method":"x","params":{}}\r') == [(False, False, "")]


def test_a_batch() -> None:
    line = b' [{"jsonrpc":"2.0","id":1,"method":"ping"},7,{"jsonrpc":"2.0","id":2,"result":1}]'

    assert kinds(line) == [(True, False, "1"), (False, True, "2")]


@pytest.mark.parametrize("line", [b"", b"ready", b"7", b"[", b'{"id":1}', b"\xff", b'{"a":"\xff"}'])
def test_what_is_none_gives_none(line: bytes) -> None:
    assert kinds(line) == []


def test_what_is_large_is_not_taken_apart() -> None:
    line = b'{"jsonrpc":"2.0","id":1,"result":{"text":"%b"}}' % (b"x" * 1_000_000)

    (message,) = jsonrpc.read(line)

    assert jsonrpc.text(message.result) == '{"text":"' + "x" * 1_000_000 + '"}'


def test_raw_json_of_another_kind_is_none() -> None:
    (message,) = jsonrpc.read(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}')

    assert jsonrpc.parse(message.params, jsonrpc.Call) is None
