from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.proxy.testing import Encode, Say, ScriptedModel, Turn
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.span import Span
from traceproof.recorder.store import Store
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]

KEY = "sk-ant-api03-fake-key-of-the-tests-0123456789"
"""The key in the environment that `cli` gives its commands."""

ASK = """
import json, os, sys, urllib.request
key = os.environ["ANTHROPIC_API_KEY"]
body = {"model": "m", "messages": [{"role": "user", "content": f"my key is {key}"}]}
headers = {"x-api-key": key, "accept-encoding": "gzip"}
url = "https://api.anthropic.com/v1/messages"
request = urllib.request.Request(url, json.dumps(body).encode(), headers)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""


def first_turn(here: Here) -> str:
    turns = [n for n in here("show", "--json").json["root"]["children"] if n["kind"] == "turn"]
    return str(turns[0]["span_id"])


def test_it_writes_the_bytes_of_both_sides_and_nothing_else(here: Here, trace: Path) -> None:
    span = first_turn(here)
    with TraceReader.open(trace) as reader:
        (chat,) = [s for s in reader.spans(inline=True) if s.span_id == span]

    for side, name in (
        ("request", semconv.REQUEST_BODY),
        ("response", semconv.RESPONSE_BODY),
    ):
        code, out, err = here("raw", "last", span, side)
        assert (code, err) == (0, "")
        assert out.encode() == chat.attributes[name]
    assert json.loads(here("raw", "last", span[:10].upper(), "request").out)["stream"] is True


@pytest.fixture
def asked(cli: Here) -> tuple[Any, bytes]:
    """Record an agent that tells its key; return what the model got and sent."""
    with ScriptedModel([Turn([Say("hello " * 50)], faults=[Encode("gzip")])]) as model:
        route = f"api.anthropic.com={model.url}"
        save = f"'{sys.executable}' -c '{ASK}' >answer"
        assert cli("record", "--route", route, "--", "sh", "-c", save) == (0, "", "")
        return model.calls[0].request_body, model.calls[0].response_body


def test_names_of_others_do_not_reach_the_terminal(here: Here, project: Path) -> None:
    store = Store(project / ".traceproof")
    store.create()
    masked = Masked(b"<SECRET:X>", [Mask(0, "A\x1b[2JB")])
    path = store.new_trace_path(1, "x", "1" * 32)
    writer = TraceWriter(path, resource={semconv.SOURCE: "recorder"}, mask=lambda _: masked)
    span = Span("1" * 32, "a" * 16, "invoke \x1b[2J\nagent", start=1, end=2)
    span.attributes[semconv.REF + semconv.REQUEST_BODY] = writer.blob(b"secret")
    writer._mask = None
    writer.span(span)
    writer.close()

    code, out, err = here("raw", "last", "a", "response")
    assert (code, out) == (2, "")
    assert err == f"traceproof: span {'a' * 16} (invoke \ufffd[2J agent) has no response body\n"
    assert here("raw", "last", "a", "request") == (
        0,
        "<SECRET:X>",
        "traceproof: 1 masked: A\ufffd[2JB\n",
    )


def test_where_a_secret_stood_its_name_stands_and_that_is_told_on_stderr(
    here: Here, asked: tuple[bytes, bytes]
) -> None:
    code, out, err = here("raw", "last", first_turn(here), "request")

    assert (code, err) == (0, "traceproof: 1 masked: ANTHROPIC_API_KEY\n")
    assert out == asked[0].decode().replace(KEY, "<SECRET:ANTHROPIC_API_KEY>")


def test_as_json_it_tells_of_masks_and_encoding_instead(
    here: Here, asked: tuple[bytes, bytes]
) -> None:
    span = first_turn(here)
    request = here("raw", "last", span, "request", "--json").json
    response = here("raw", "last", span, "response", "--json").json

    assert request["span"] == span
    assert [mask["name"] for mask in request["masks"]] == ["ANTHROPIC_API_KEY"]
    (mask,) = request["masks"]
    assert mask["offset"] == asked[0].index(KEY.encode())
    assert (response["content_encoding"], response["kept_decoded"], response["masks"]) == (
        "gzip",
        False,
        [],
    )


def test_an_encoded_body_is_written_as_it_was_sent(
    project: Path, here: Here, env: dict[str, str], asked: tuple[bytes, bytes]
) -> None:
    command = [sys.executable, "-m", "traceproof", "raw", "last", first_turn(here), "response"]

    done = subprocess.run(command, cwd=project, env=env, capture_output=True, check=True)

    assert done.stdout == asked[1] == (project / "answer").read_bytes()
