from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import otlp_consumer
from support.otlp_server import OtlpServer, Reply

Done = Any

SECRET = "sk-push-0123456789"


def test_a_trace_is_pushed_and_a_second_time_it_need_not(
    trace: Path, here: Callable[..., Done]
) -> None:
    with OtlpServer() as server:
        first = here("push", trace, "--endpoint", server.url)
        second = here("push", "--endpoint", server.url)

    assert (first.code, first.err) == (0, "")
    assert first.out == f"{trace.name}: 16 spans sent to {server.url}/v1/traces\n"
    assert "0 spans sent" in second.out
    assert "16 had gone before" in second.out
    assert len(server.ids) == 16


def test_the_document_says_what_went_where(trace: Path, here: Callable[..., Done]) -> None:
    with OtlpServer() as server:
        done = here("push", trace, "--endpoint", server.url, "--json")

    assert done.json["endpoint"] == f"{server.url}/v1/traces"
    (row,) = done.json["traces"]
    assert (row["trace"], row["sent"], row["before"], row["refused"]) == (str(trace), 16, 0, 0)


def test_the_environment_names_server_and_headers(trace: Path, cli: Callable[..., Done]) -> None:
    with OtlpServer() as server:
        done = cli(
            "push",
            trace,
            "--header",
            "x-team=tools",
            OTEL_EXPORTER_OTLP_ENDPOINT=server.url,
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{SECRET}",
        )

    assert (done.code, done.err) == (0, "")
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["x-team"] == "tools"


def test_credentials_are_neither_printed_nor_stored(trace: Path, cli: Callable[..., Done]) -> None:
    with OtlpServer(Reply(), always=Reply(403, text="no")) as server:
        address = server.url.replace("//", f"//ada:{SECRET}@")
        done = [
            cli("push", trace, "--endpoint", address, "--header", f"key={SECRET}", *more)
            for more in ([], ["--again", "--json"])
        ]

    assert [one.code for one in done] == [0, 3]
    kept = [path.read_bytes() for path in trace.parent.iterdir()]
    assert not any(SECRET.encode() in data for data in kept)
    assert not any(SECRET in one.out + one.err for one in done)


def test_names_and_resource_are_a_choice(trace: Path, here: Callable[..., Done]) -> None:
    with OtlpServer() as server:
        for convention in ("genai", "openinference"):
            options = ["--convention", convention, "--resource", "openinference.project.name=a"]
            assert here("push", trace, "--endpoint", server.url, *options).code == 0

    genai, openinference = (otlp_consumer.spans([asked.message]) for asked in server.asked)
    names = [
        {name for _, _, span in spans for name in otlp_consumer.attributes(span)}
        for spans in (genai, openinference)
    ]
    assert "gen_ai.input.messages" in names[0] - names[1]
    assert "llm.input_messages.0.message.role" in names[1] - names[0]
    resource = otlp_consumer.attributes(genai[0][0].resource)
    assert resource["openinference.project.name"] == "a"


def test_a_server_that_is_not_there_is_the_environments_failure(
    trace: Path, here: Callable[..., Done]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    done = here("push", trace, "--endpoint", url, "--timeout", "0.5")

    assert (done.code, done.out) == (3, "")
    assert done.err == f"traceproof: {url}/v1/traces: no connection\n"


def test_a_refusal_is_told_in_one_line(trace: Path, here: Callable[..., Done]) -> None:
    with OtlpServer(always=Reply(401, text='{"detail": "who are you?"}')) as server:
        done = here("push", trace, "--endpoint", server.url)

    assert done.code == 3
    assert done.err == (
        f"traceproof: {server.url}/v1/traces: answered 401 Unauthorized: "
        '{"detail": "who are you?"}\n'
    )


def test_spans_that_were_refused_make_the_answer_a_no(
    trace: Path, here: Callable[..., Done]
) -> None:
    with OtlpServer(Reply(rejected=2, text="quota")) as server:
        done = here("push", trace, "--endpoint", server.url)

    assert done.code == 1
    assert "14 spans sent" in done.out
    assert "2 refused" in done.out
    assert done.err == "traceproof: quota\n"


def test_what_had_gone_when_a_push_failed_is_told(
    trace: Path, tmp_path: Path, here: Callable[..., Done]
) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("no trace")
    with OtlpServer() as server:
        done = here("push", trace, foreign, "--endpoint", server.url)

    assert done.code == 2
    assert done.out == f"{trace.name}: 16 spans sent to {server.url}/v1/traces\n"
    assert "is not a trace file" in done.err


def test_wrong_usage_is_said_in_a_line(trace: Path, here: Callable[..., Done]) -> None:
    for arguments, said in (
        ([], "nowhere to push to: give --endpoint URL"),
        (["--endpoint", "x"], "an endpoint is an address like"),
        (["--endpoint", "http://a", "--header", "x"], "--header is NAME=VALUE"),
        (["--endpoint", "http://a", "--resource", "x"], "--resource is NAME=VALUE"),
        (["--endpoint", "http://a", "--timeout", "0"], "--timeout"),
    ):
        done = here("push", trace, *arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert said in done.err
    assert here("push", "unknown", "--endpoint", "http://a").code == 2


def test_a_pushed_trace_is_still_one_trace_in_the_store(
    trace: Path, here: Callable[..., Done]
) -> None:
    with OtlpServer() as server:
        here("push", trace, "--endpoint", server.url)

    assert [row["path"] for row in here("ls", "--json").json] == [str(trace)]
    (kept,) = [path for path in trace.parent.iterdir() if path != trace]
    assert list(json.loads(kept.read_text()).values()) == [
        {"endpoint": f"{server.url}/v1/traces", "spans": 16, "last": server.ids[-1]}
    ]
