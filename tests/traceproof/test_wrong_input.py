"""Wrong input and a failing environment: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from cryptography.hazmat.primitives import serialization

from traceproof.proxy.authority import open_authority
from traceproof.proxy.testing import Cut, Insert, Say, ScriptedModel, Status, Turn
from traceproof.recorder import semconv
from traceproof.recorder.frames import FrameWriter
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.store import SUFFIX

Cli = Callable[..., Any]

READERS = (["show"], ["show", "--full"], ["show", "--json"], ["repair"])
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
ASK = """
import json, sys, urllib.error, urllib.request
try:
    request = urllib.request.Request(sys.argv[1], b'{"messages": []}')
    print(urllib.request.urlopen(request).read().decode())
except urllib.error.HTTPError as error:
    print(error.code, json.load(error)["error"]["message"])
except OSError as error:
    print(error)
"""
"""An agent that makes one call, says what came of it, and is content with anything."""


def one_line(err: str) -> str:
    """Return what a command said on stderr, which is one line and no traceback."""
    assert err.startswith("traceproof: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err.removeprefix("traceproof: ").strip()


def asking(url: str) -> list[str]:
    return ["--", sys.executable, "-c", ASK, url]


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nosuch"], "No such command 'nosuch'. See `traceproof --help`."),
        (["--nosuch"], "No such option '--nosuch'. See `traceproof --help`."),
        (["show", "--nosuch"], "No such option '--nosuch'. See `traceproof show --help`."),
        (["show", "a", "b"], "Got unexpected extra argument (b) See `traceproof show --help`."),
        (["raw", "last"], "Missing argument 'SPAN'. See `traceproof raw --help`."),
        (
            ["raw", "last", "0", "both"],
            (
                "Invalid value for 'SIDE:{request|response}': 'both' is not one of 'request', "
                "'response'. See `traceproof raw --help`."
            ),
        ),
        (["record"], "Missing argument '-- COMMAND…'. See `traceproof record --help`."),
        (["record", "--"], "Missing argument '-- COMMAND…'. See `traceproof record --help`."),
        (
            ["record", "--scenario", "play", "--", "true"],
            (
                "Invalid value for '--scenario': 'play' is not one of 'real_dev', 'evaluation', "
                "'synthetic'. See `traceproof record --help`."
            ),
        ),
        (
            ["record", "--port", "99999", "--", "true"],
            (
                "Invalid value for '--port': 99999 is not in the range 0<=x<=65535. "
                "See `traceproof record --help`."
            ),
        ),
        (
            ["record", "--agent", "nosuch", "--", "true"],
            (
                "unknown agent 'nosuch': known are claude-code, aider, codex, gemini-cli, "
                "mini-swe-agent, opencode, generic"
            ),
        ),
        (
            ["record", "--host", "https://x.example/", "--", "true"],
            (
                "--host takes a host name such as gateway.example.com or *.example.com, "
                "not 'https://x.example/'"
            ),
        ),
        (["record", "--route", "nonsense", "--", "true"], "--route takes HOST=URL, not 'nonsense'"),
        (
            ["record", "--route", "api.anthropic.com=ftp://x", "--", "true"],
            (
                "--route api.anthropic.com: expected a URL such as "
                "https://gateway.example.com/path, not 'ftp://x'"
            ),
        ),
        (
            ["record", "--task", "nosuch.toml", "--", "true"],
            "nosuch.toml: No such file or directory",
        ),
        (
            ["record", "--summary", "nosuch/summary.json", "--", "true"],
            "--summary nosuch/summary.json: there is no place for a file",
        ),
        (["record", "--", "nosuch-agent"], "nosuch-agent: command not found"),
        (["record", "--", "./nosuch-agent"], "./nosuch-agent: no such file"),
        (["record", "--", "/etc/passwd"], "/etc/passwd: not executable"),
        (["record", "--", "/etc"], "/etc: not executable"),
        (["demo", "/etc"], "/etc is not empty: give demo a new folder"),
        (["demo", "/etc/passwd"], "/etc/passwd: File exists"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    here: Cli, project: Path, arguments: list[str], line: str
) -> None:
    code, out, err = here(*arguments)

    assert (code, out, one_line(err)) == (2, "", line)
    assert not (project / ".traceproof").exists()


def test_a_wrong_task_file_names_what_is_wrong_in_it(here: Cli, project: Path) -> None:
    (project / "task.toml").write_text('attempt = 0\nkind = "repair"\n')

    code, _, err = here("record", "--", "true")

    assert code == 2
    line = one_line(err)
    assert "unknown field kind" in line
    assert "attempt is a whole number from 1 on, not 0" in line


def test_a_script_whose_interpreter_is_missing_leaves_no_trace(cli: Cli, project: Path) -> None:
    script = project / "agent"
    script.write_text("#!/nosuch/interpreter\n")
    script.chmod(0o755)

    code, out, err = cli("record", "--", "./agent")

    assert (code, out, one_line(err)) == (2, "", "./agent: its interpreter is missing")
    assert list((project / ".traceproof" / "traces").iterdir()) == []
    assert list((project / ".traceproof" / "control").iterdir()) == []


# --- the recorder's surroundings ------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_before_the_agent_starts(cli: Cli, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = cli("record", "--port", str(port), "--", "echo", "hello")

    assert (code, out) == (3, "")
    assert one_line(err) == f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert list((project / ".traceproof" / "traces").iterdir()) == []


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_corrupt_certificate_authority_is_told_with_its_remedy(
    cli: Cli, project: Path, content: str
) -> None:
    key = project / ".traceproof" / "ca" / "traceproof-ca.pem"
    key.parent.mkdir(parents=True)
    key.write_text(content)

    code, out, err = cli("record", "--", "echo", "hello")

    assert (code, out) == (2, "")
    assert one_line(err) == (
        f"{key} is not a certificate authority of traceproof; remove it to have one made"
    )
    assert key.read_text() == content

    key.unlink()
    assert cli("record", "--", "echo", "hello") == (0, "hello\n", "")


def test_a_proxy_of_the_environment_that_we_cannot_use_is_told(cli: Cli) -> None:
    code, out, err = cli("record", "--", "echo", "hello", HTTPS_PROXY="socks5://127.0.0.1:1")

    assert (code, out) == (2, "")
    assert "HTTPS_PROXY" in one_line(err) or "socks5" in one_line(err)


def test_a_store_that_is_a_file_is_told(here: Cli, project: Path) -> None:
    file = project / "file"
    file.touch()

    code, _, err = here("ls", "--store", "file")

    assert (code, one_line(err)) == (2, f"{file}: a store is a folder")


def test_a_summary_that_cannot_be_written_costs_no_more_than_itself(
    cli: Cli,
) -> None:
    """The agent itself puts a folder in its place, once it is too late to say no."""
    code, out, err = cli("record", "--summary", "s", "--", "sh", "-c", "mkdir s; echo hello")

    assert (code, out) == (3, "hello\n")
    assert one_line(err) == "s: the summary was not written: Is a directory"
    assert cli("show").code == 0


# --- the agent and its upstream -------------------------------------------------------------------


def test_an_agent_that_does_not_trust_our_certificate_is_named_with_the_host(
    cli: Cli, project: Path
) -> None:
    (project / "own.pem").write_text(Path(ssl.get_default_verify_paths().cafile or "").read_text())
    command = ["env", f"SSL_CERT_FILE={project}/own.pem", *asking("https://api.anthropic.com/")[1:]]

    code, out, err = cli("record", "--", *command)

    assert code == 3
    assert "certificate verify failed" in out
    told = "the agent did not trust the recorder's certificate for api.anthropic.com"
    assert one_line(err) == told


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_an_upstream_that_refuses_connections_is_told_to_the_agent(
    cli: Cli, closed_port: int
) -> None:
    route = f"api.anthropic.com=http://127.0.0.1:{closed_port}"

    done = cli("record", "--route", route, *asking("https://api.anthropic.com/v1/messages"))

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"502 traceproof: 127.0.0.1:{closed_port}: ")
    shown = cli("show").out
    assert f"no_response: 127.0.0.1:{closed_port}: " in shown
    assert "1 failed calls" in shown
    (turn,) = cli("show", "--json").json["root"]["children"]
    assert cli("raw", "last", turn["span_id"], "request").out == '{"messages": []}'


def test_an_upstream_that_no_name_server_knows_is_told_to_the_agent(cli: Cli) -> None:
    host = "traceproof-test.invalid"

    done = cli("record", "--host", host, *asking(f"https://{host}/v1/messages"))

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"502 traceproof: {host}:443: ")
    assert "resolution" in done.out or "not known" in done.out
    assert f"no_response: {host}:443: " in cli("show").out


def test_an_upstream_whose_certificate_nobody_vouches_for_is_told_to_the_agent(
    cli: Cli, tmp_path: Path
) -> None:
    authority = open_authority(tmp_path / "stranger")
    pem = authority.issue(["127.0.0.1"]).public_bytes(serialization.Encoding.PEM)
    pem += authority.leaf_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "server.pem").write_bytes(pem)

    with ScriptedModel([Turn([Say("hello")])], certificate=tmp_path / "server.pem") as model:
        route = f"api.anthropic.com={model.url}"
        done = cli("record", "--route", route, *asking("https://api.anthropic.com/v1/messages"))
        assert model.calls == []

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"502 traceproof: 127.0.0.1:{model.port}: ")
    assert "certificate" in done.out
    assert done.out.count("\n") == 1
    assert f"no_response: 127.0.0.1:{model.port}: " in cli("show").out


def test_an_upstream_that_speaks_no_tls_is_told_to_the_agent(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        done = cli(
            "record",
            "--route",
            f"api.anthropic.com={url}",
            *asking("https://api.anthropic.com/v1/messages"),
        )

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"502 traceproof: {url.removeprefix('https://')}: ")
    assert done.out.count("\n") == 1


def _greet(server: socket.socket) -> None:
    """Answer one client as a mail server would."""
    client, _ = server.accept()
    with client:
        client.sendall(b"220 mail.example ESMTP\r\n")
        client.recv(65536)


MALFORMED: dict[str, list[Any]] = {
    "not JSON": [Insert(raw="event: content_block_delta\ndata: {not json\n\n")],
    "no stream at all": [Insert(after=0, raw="<html>Bad gateway</html>\n\n")],
    "cut": [Cut(events=3)],
    "an error page": [Status(500)],
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_stream_reaches_the_agent_as_it_is_and_is_noted(cli: Cli, kind: str) -> None:
    program = (
        "import http.client, os, sys, urllib.request\n"
        'data = b\'{"model": "m", "messages": [], "stream": true}\'\n'
        "request = urllib.request.Request('https://api.anthropic.com/v1/messages', data)\n"
        "try: body = urllib.request.urlopen(request).read()\n"
        "except http.client.IncompleteRead as error: body = error.partial\n"
        "except urllib.error.HTTPError as error: body = error.read()\n"
        "sys.stdout.buffer.write(body)\n"
    )
    with ScriptedModel([Turn([Say("hello")], faults=MALFORMED[kind])]) as model:
        route = f"api.anthropic.com={model.url}"
        done = cli("record", "--route", route, "--", sys.executable, "-c", program)
        sent = model.calls[0].response_body

    assert (done.code, done.out.encode(), done.err) == (0, sent, "")
    (turn,) = cli("show", "--json").json["root"]["children"]
    assert turn["notes"]
    assert cli("raw", "last", turn["span_id"], "response").out.encode() == sent


# --- signals and pipes ----------------------------------------------------------------------------


def test_sigterm_goes_to_the_agent_and_the_trace_is_closed(
    project: Path, env: dict[str, str], cli: Cli
) -> None:
    program = "echo started; exec sleep 60"
    recorder = subprocess.Popen(
        [*TRACEPROOF, "record", "--", "sh", "-c", program],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == b"started\n"
        recorder.send_signal(signal.SIGTERM)
        _, err = recorder.communicate()

    assert (recorder.returncode, err) == (143, b"")
    (row,) = cli("ls", "--json").json
    assert (row["exit_code"], row["closed"], row["pending"]) == (143, True, False)


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize(
    "arguments", [["show"], ["show", "--json"], ["ls"], ["doctor"], ["--help"]]
)
def test_a_reader_that_goes_away_is_no_error_to_speak_of(
    project: Path, env: dict[str, str], arguments: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        [*TRACEPROOF, *arguments],
        cwd=project,
        env=env,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("arguments", [["show"], ["show", "--json"], ["ls"], ["doctor"]])
def test_output_to_a_full_disk_is_told(
    project: Path, env: dict[str, str], arguments: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*TRACEPROOF, *arguments],
            cwd=project,
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, one_line(done.stderr)) == (3, "No space left on device")


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("arguments", [["show"], ["show", "--json"], ["ls", "--json"], ["repair"]])
def test_without_a_stdout_there_is_nothing_to_say(
    project: Path, env: dict[str, str], arguments: list[str]
) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *TRACEPROOF, *arguments],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


# --- trace files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["show"], ["raw", "last", "0", "request"], ["repair"]])
def test_where_there_is_no_trace_yet_it_says_how_to_make_one(
    here: Cli, project: Path, arguments: list[str]
) -> None:
    code, out, err = here(*arguments)

    assert (code, out) == (2, "")
    store = project / ".traceproof"
    assert one_line(err) == (
        f"no trace 'last': the store {store} is empty (`traceproof record` fills it)"
    )
    assert not store.exists()


def test_an_empty_listing_says_how_to_fill_it(here: Cli, project: Path) -> None:
    told = "make one with `traceproof record -- COMMAND`"

    assert here("ls") == (0, f"no traces in {project}/.traceproof: {told}\n", "")
    assert here("ls", "--json").json == []


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("name", ["nosuch", "", "/nosuch/file", "a" * 5000, "-"])
def test_a_trace_that_is_not_there_is_told(here: Cli, name: str) -> None:
    code, out, err = here("show", "--", name)

    assert (code, out) == (2, "")
    assert one_line(err).endswith("`traceproof ls` lists those there are")


def test_an_id_that_several_traces_share_asks_for_more_of_it(here: Cli, trace: Path) -> None:
    for number in range(4):
        shutil.copy(trace, trace.with_name(f"20260102T030405Z-demo-0123ef0{number}{SUFFIX}"))

    code, _, err = here("show", "0123")

    assert code == 2
    assert one_line(err) == (
        "'0123' could be any of 5 traces (0123abcd, 0123ef00, 0123ef01, …): give more of the name"
    )
    assert here("show", "0123a").code == 0


FOREIGN = {
    "text": (b"hello, world\n", "is not a trace file: it is not zstd data"),
    "an empty file": (b"", "is empty: the recorder stopped before its first line"),
    "other zstd data": (zstandard.compress(b"hello\n"), "is not a trace file: "),
    "other OTLP": (zstandard.compress(b'{"resourceSpans":[]}\n'), "is not a trace file: "),
    "zeros": (bytes(5000), "is not a trace file: it is not zstd data"),
    "two bytes": (b"\x28\xb5", "is damaged: "),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_no_trace_is_told_by_every_reader(here: Cli, trace: Path, kind: str) -> None:
    content, told = FOREIGN[kind]
    trace.write_bytes(content)

    for arguments in (*READERS, ["raw", trace, "0", "request"]):
        more = [] if arguments[0] == "raw" else [trace]
        code, out, err = here(*arguments, *more)
        assert (code, out) == (2, ""), arguments
        assert one_line(err).startswith(f"{trace} {told}")
    code, out, err = here("ls")
    assert (code, err) == (0, "")
    assert told in out  # a listing goes on past it
    assert trace.read_bytes() == content


def test_a_trace_of_a_later_version_is_told_and_not_touched(here: Cli, trace: Path) -> None:
    with zstandard.open(trace, "rb") as file:
        lines = file.read()
    version = b'{"key":"%b","value":{"intValue":"%%d"}}' % semconv.FORMAT.encode()
    assert version % semconv.FORMAT_VERSION in lines
    later = lines.replace(version % semconv.FORMAT_VERSION, version % 99)
    trace.write_bytes(zstandard.compress(later))

    for arguments in READERS:
        code, out, err = here(*arguments)
        assert (code, out) == (2, "")
        assert one_line(err) == (
            f"{trace} has trace format 99, and this traceproof reads up to "
            f"{semconv.FORMAT_VERSION}: use a newer one"
        )
    assert "has trace format 99" in here("ls").out


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_truncated_trace_is_read_as_far_as_it_goes(here: Cli, trace: Path, tenth: int) -> None:
    with TraceReader.open(trace) as reader:
        whole = {record.span.span_id for record in reader.records()}
    os.truncate(trace, trace.stat().st_size * tenth // 10)

    codes = [here(*arguments, "last") for arguments in READERS]

    if codes[0].code:  # so little that not even the first line is there
        assert {done.code for done in codes} == {2}
        assert all(one_line(done.err) for done in codes)
        return
    assert [(done.code, done.err) for done in codes] == [(0, "")] * len(READERS)
    assert "! the file was not closed: `traceproof repair` ends it" in codes[0].out
    with TraceReader.open(trace) as reader:
        assert {record.span.span_id for record in reader.records()} <= whole
        assert reader.closed_properly  # by `repair`, the last of the readers


def test_a_damaged_seek_table_costs_nothing(here: Cli, trace: Path) -> None:
    before = here("show").out
    content = bytearray(trace.read_bytes())
    content[-15] ^= 0xFF  # the size of the last frame
    trace.write_bytes(content)

    damaged = here("show")
    assert (damaged.code, damaged.err) == (0, "")
    assert damaged.out == before + "! the file was not closed: `traceproof repair` ends it\n"
    assert here("repair").code == 0
    assert here("show").out == before


def test_damage_in_the_middle_is_told_and_the_rest_is_shown(here: Cli, trace: Path) -> None:
    _in_two_frames(trace)
    content = bytearray(trace.read_bytes())
    content[len(content) // 4 * 3] ^= 0xFF
    trace.write_bytes(content)

    code, out, err = here("show")

    assert (code, err) == (0, "")
    assert "! frame 2 (at byte " in out


def _in_two_frames(trace: Path) -> None:
    with zstandard.open(trace, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    frames = FrameWriter()
    halves = b"".join(lines[: len(lines) // 2]), b"".join(lines[len(lines) // 2 :])
    trace.write_bytes(
        frames.write(halves[0]) + frames.end_frame() + frames.write(halves[1]) + frames.finish()
    )


@pytest.mark.usefixtures("trace")
def test_a_span_that_is_not_there_is_told(here: Cli) -> None:
    code, out, err = here("raw", "last", "zzzz", "request")

    assert (code, out) == (2, "")
    assert one_line(err) == "no span of this trace begins with 'zzzz': see `show --full`"


@pytest.mark.usefixtures("trace")
def test_a_beginning_that_several_spans_share_asks_for_more_of_it(here: Cli) -> None:
    code, _, err = here("raw", "last", "", "request")

    assert code == 2
    assert one_line(err).endswith(" spans begin with '': give more of the id")


@pytest.mark.usefixtures("trace")
def test_a_span_without_a_body_is_told(here: Cli) -> None:
    root = json.loads(here("show", "--json").out)["root"]["span_id"]

    code, out, err = here("raw", "last", root, "response")

    assert (code, out) == (2, "")
    assert one_line(err).startswith(f"span {root} (invoke_agent ")
    assert err.endswith(" has no response body\n")


@pytest.mark.parametrize("command", ["pause", "resume", "exclude"])
def test_consent_without_a_recording_is_told(here: Cli, project: Path, command: str) -> None:
    code, out, err = here(command)

    assert (code, out) == (2, "")
    assert one_line(err) == f"no recording is running in {project}/.traceproof"
