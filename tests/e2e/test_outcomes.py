"""`record` is transparent: bytes, exit codes and signals are the agent's own; errors are one line.

No real agent here: the agents are a few lines of shell or Python.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import zstandard

from traceproof.proxy.testing import Insert, Say, ScriptedModel, Turn
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage

NOISE = "import os\nfor fd in 1, 2: os.write(fd, bytes(range(256)) * 4099 + b'end %d' % fd)"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", r"printf 'out\n\tput'; printf '\033[31merr' >&2; exit 7"], 7),
        ([sys.executable, "-c", NOISE], 0),
        (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["true"], 0),
    ],
)
def test_output_and_exit_code_are_the_agents_own(
    stage: Stage, command: list[str], code: int
) -> None:
    alone = stage.run(*command)

    done = stage.record([], *command)

    assert (done.ended.stdout, done.ended.stderr) == (alone.stdout, alone.stderr)
    assert done.ended.returncode == code
    assert done.root.attributes[semconv.PROCESS_EXIT_CODE] == code
    assert (done.problems, done.log, done.exchanges) == ([], "", [])


def test_a_signal_to_the_recorder_goes_to_the_agent(stage: Stage) -> None:
    waits = "trap 'echo told; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    with ScriptedModel([]) as model:
        process = stage.start(model, "sh", "-c", waits)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        ended = stage.finish(process)

    assert (ended.returncode, ended.stdout) == (9, b"told\n")


def test_input_goes_to_the_agent(stage: Stage) -> None:
    data = bytes(range(256)) * 5000
    with ScriptedModel([]) as model:
        process = stage.start(model, "cat", stdin=subprocess.PIPE)
        echoed, _ = process.communicate(data, timeout=40)

    assert (process.returncode, echoed) == (0, data)


ASK = """\
import json, os, sys, urllib.error, urllib.request
body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "stream": True,
        "messages": [{"role": "user", "content": "Hello?"}]}
host = sys.argv[1] if len(sys.argv) > 1 else "api.anthropic.com"
request = urllib.request.Request(f"https://{host}/v1/messages", json.dumps(body).encode())
try:
    with urllib.request.urlopen(request) as response:
        print(response.status, len(response.read()))
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
"""An agent of a few lines: it trusts what SSL_CERT_FILE names, as Python does."""


def agent(stage: Stage, program: str = ASK) -> list[str]:
    (stage.workdir.parent / "agent.py").write_text(program)
    return [sys.executable, str(stage.workdir.parent / "agent.py")]


def test_a_provider_that_is_down_is_a_failed_call_and_one_clear_line(stage: Stage) -> None:
    with ScriptedModel([]) as model:
        nowhere = model.url
    options = ["--route", f"api.anthropic.com={nowhere}"]
    ended = stage.traceproof("record", *options, "--", *agent(stage))

    assert ended.returncode == 0
    code, _, told = ended.stdout.decode().partition(" ")
    assert code == "502"
    assert "\n" not in json.loads(told)["error"]["message"]
    (chat,) = stage.trace().chats()
    assert chat.attributes[semconv.CALL_STATE] == "failed"
    assert chat.status_message == f"{nowhere.partition('//')[2]}: Connection refused"


def test_an_agent_that_does_not_trust_us_is_said_to(stage: Stage) -> None:
    distrusting = "import ssl; ssl.SSLContext.load_default_certs = lambda *_: None\n" + ASK

    done = stage.record([], *agent(stage, distrusting), options=["--summary", "summary.json"])

    line = "the agent did not trust the recorder's certificate for api.anthropic.com"
    assert done.ended.stderr.decode().splitlines()[-1] == f"traceproof: {line}"
    summary = json.loads((stage.workdir / "summary.json").read_text())
    assert summary["lost"] == [line]
    assert done.root.attributes[semconv.RECORDING_LOST] == [line]


def test_a_stream_that_is_no_stream_is_kept_and_said_to_be_odd(stage: Stage) -> None:
    nonsense = Insert(after=2, raw='data: {"type": \xff\n\nnot even that\n\n')

    done = stage.record([Turn([Say("Hello.")], faults=[nonsense])], *agent(stage))

    assert done.ended.returncode == 0
    assert done.differences() == []
    (chat,) = done.chats()
    assert chat.attributes[semconv.CALL_STATE] == "complete"
    assert "not JSON" in str(chat.attributes[semconv.CALL_PROBLEM])
    (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
    assert answer["parts"] == [{"type": "text", "content": "Hello."}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["recrod"], "No such command 'recrod'"),
        (["record", "--", "no-such-agent"], "no-such-agent: command not found"),
        (["record", "--mode", "sideways", "--", "true"], "'sideways'"),
        (["record", "--route", "nonsense", "--", "true"], "nonsense"),
        (["record", "--agent", "nobody", "--", "true"], "nobody"),
        (["record", "--task", "missing.toml", "--", "true"], "missing.toml"),
        (["show", "no-such-trace"], "no-such-trace"),
        (["raw", "last", "abc", "request"], "no trace"),
        (["pause"], "no recording is running"),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_2(
    stage: Stage, arguments: list[str], told: str
) -> None:
    ended = stage.traceproof(*arguments)

    assert (ended.returncode, ended.stdout) == (2, b"")
    *usage, line = ended.stderr.decode().splitlines()
    assert told in line
    assert "Traceback" not in "".join(usage)
    assert stage.traces() == []


def test_a_busy_port_is_one_clear_line_and_exit_3(stage: Stage) -> None:
    with ScriptedModel([]) as model:
        ended = stage.traceproof("record", "--port", str(model.port), "--", "echo", "ran")

    assert (ended.returncode, ended.stdout) == (3, b"")
    (line,) = ended.stderr.decode().splitlines()
    assert str(model.port) in line
    assert stage.traces() == []


VERSION = '"key":"traceproof.format.version","value":{"intValue":"%d"}'


def from_the_future(data: bytes) -> bytes:
    lines = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    assert (VERSION % 1).encode() in lines
    return zstandard.compress(lines.replace((VERSION % 1).encode(), (VERSION % 99).encode()))


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "foreign": (lambda _: b"PK\x03\x04 is a zip file", "is not a trace file"),
    "empty": (lambda _: b"", "is empty"),
    "other zstd": (lambda _: zstandard.compress(b'{"a":1}\n'), "is not a trace file"),
    "future": (from_the_future, "use a newer one"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_file_that_is_no_trace_is_one_clear_line_and_exit_2(stage: Stage, kind: str) -> None:
    path = stage.record([], "true").path
    change, told = CHANGES[kind]
    path.write_bytes(change(path.read_bytes()))

    for command in ("show", "repair"):
        ended = stage.traceproof(command, path)
        assert (ended.returncode, ended.stdout) == (2, b"")
        (line,) = ended.stderr.decode().splitlines()
        assert path.name in line
        assert told in line
    listed = stage.traceproof("ls")
    assert (listed.returncode, told in listed.stdout.decode()) == (0, True)


def test_a_truncated_trace_is_read_as_far_as_it_goes(stage: Stage) -> None:
    done = stage.record([Turn([Say("Hello.")])], *agent(stage))
    done.path.chmod(0o600)
    done.path.write_bytes(done.path.read_bytes()[:-60])

    shown = stage.traceproof("show")
    assert shown.returncode == 0
    assert b"traceproof repair" in shown.stdout
    assert stage.traceproof("repair").returncode == 0
    assert b"traceproof repair" not in stage.traceproof("show").stdout
