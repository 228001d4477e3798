"""A server behind the tee, as its agent sees it: the same bytes, signals, codes and descriptors."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.mcp.recorder import Recorder
from traceproof.recorder.shim import wire

PATIENCE = 30
ECHO = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line)"
SAYS = "import json, os, sys\nprint(json.dumps({what}))"


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def run(command: Sequence[str], **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False, **more)


def start(command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, **{**pipes, **more})


def test_bytes_pass_as_they_are_and_lines_are_copied(recorder: Recorder) -> None:
    command = python(f"import sys\nsys.stderr.write('ready')\nsys.stderr.flush()\n{ECHO}")
    given = b'{"id":1}\nno json \xff\r\n\n{"id":2}\nand no end'

    ended = run(recorder.tee.command("sums", command), input=given)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, given, b"ready")
    heard = recorder.heard()
    packets = heard.rest()
    lines = [b'{"id":1}', b"no json \xff\r", b"", b'{"id":2}', b"and no end"]
    assert [line for kind, line in packets if kind == wire.FROM_CLIENT] == lines
    assert [line for kind, line in packets if kind == wire.FROM_SERVER] == lines
    assert b"".join(data for kind, data in packets if kind == wire.STDERR) == b"ready"
    assert [kind for kind, _ in packets].count(wire.ENDED) == 1
    assert packets[-1][0] == wire.DRAINED
    assert heard.hello["kind"] == ["mcp"]
    assert heard.hello["server"] == ["sums"]
    assert heard.hello["token"] == ["token"]
    assert heard.hello["arg"] == command
    assert heard.hello["cwd"] == [str(Path.cwd())]
    assert [heard.hello[name] for name in ("fd0", "fd1", "fd2")] == [["pipe"]] * 3


def test_a_message_of_tens_of_megabytes(recorder: Recorder) -> None:
    given = b'{"text":"' + b"x" * 40_000_000 + b'"}\n{}\n'

    ended = run(recorder.tee.command("sums", python(ECHO)), input=given)

    assert ended.stdout == given
    heard = recorder.heard().lines()
    assert heard == (given.split(b"\n")[:2], given.split(b"\n")[:2])


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_servers(recorder: Recorder, code: int) -> None:
    ended = run(recorder.tee.command("sums", python(f"raise SystemExit({code})")), input=b"")

    assert ended.returncode == code
    (end,) = [data for kind, data in recorder.heard().rest() if kind == wire.ENDED]
    assert dict(wire.decode_fields(end))[b"code"] == str(code).encode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_it_alone_ends_the_server_and_it_ends_so(
    recorder: Recorder, number: signal.Signals
) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "print(os.getpid(), flush=True)\ntime.sleep(60)"
    )
    with start(recorder.tee.command("sums", python(code))) as process:
        assert process.stdout
        server = int(process.stdout.readline())
        ends = os.pidfd_open(server)
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
        assert process.stdout.read() == b""
        assert select.select([ends], [], [], PATIENCE)[0], "the server goes on"
    os.close(ends)
    (end,) = [data for kind, data in recorder.heard().rest() if kind == wire.ENDED]
    assert dict(wire.decode_fields(end))[b"signal"] == str(int(number)).encode()


def test_a_signal_to_the_group_reaches_the_server_once(recorder: Recorder) -> None:
    code = (
        "import signal, sys\ngot = []\n"
        "signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))\n"
        "print('ready', flush=True)\nsys.stdin.readline()\nprint(len(got), flush=True)"
    )
    with start(recorder.tee.command("sums", python(code)), start_new_session=True) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGUSR1)
        process.send_signal(0)
        # the second signal can only come once the first has been dealt with
        threading.Event().wait(0.3)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"1\n"
    recorder.heard().rest()


def test_the_server_sees_its_environment_folder_and_descriptors(
    recorder: Recorder, tmp_path: Path
) -> None:
    descriptors = "sorted(os.listdir('/proc/self/fd'))"
    what = f"[sorted(os.environ.items()), os.getcwd(), {descriptors}, sys.argv]"
    command = python(SAYS.format(what=what), "a b", "it's", "")
    env = {"PATH": os.environ["PATH"], "OURS": "x", "CHANGED": "ours", "LANG": "C"}
    recorder.tee.write({"OURS": None, "CHANGED": "theirs", "GONE": "was there"})
    theirs = {**env, "CHANGED": "theirs"}
    del theirs["OURS"]

    behind = run(recorder.tee.command("sums", command), env=env, cwd=tmp_path, input=b"")
    plain = run(command, env=theirs, cwd=tmp_path, input=b"")

    assert json.loads(behind.stdout) == json.loads(plain.stdout)
    recorder.heard().rest()


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_the_server_is_spoken_to_over_what_the_agent_has(recorder: Recorder, kind: str) -> None:
    what = "[os.readlink(f'/proc/self/fd/{number}').split(':')[0] for number in (0, 1, 2)]"
    command = recorder.tee.command("sums", python(SAYS.format(what=what)))
    if kind == "pipe":
        said = run(command, input=b"").stdout
    else:
        pairs = [socket.socketpair() for _ in range(3)]
        stdin, stdout, stderr = (theirs for _, theirs in pairs)
        with subprocess.Popen(
            command, stdin=stdin.fileno(), stdout=stdout.fileno(), stderr=stderr.fileno()
        ) as process:
            for _, theirs in pairs:
                theirs.close()
            said = pairs[1][0].makefile("rb").read()
            assert process.wait(PATIENCE) == 0
        for ours, _ in pairs:
            ours.close()

    assert json.loads(said) == [kind] * 3
    recorder.heard().rest()


def test_stderr_that_is_stdout_stays_one_stream(recorder: Recorder) -> None:
    code = "import os\nfor n in range(50): os.write(1 + n % 2, b'%d\\n' % n)"

    ended = subprocess.run(
        recorder.tee.command("sums", python(code)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        timeout=PATIENCE,
    )

    assert ended.stdout == b"".join(b"%d\n" % number for number in range(50))
    heard = recorder.heard()
    assert heard.hello["fd2"] == ["merged"]
    heard.rest()


@pytest.mark.parametrize("stdin", ["null", "file"])
def test_a_server_that_is_not_spoken_to_is_let_alone(
    recorder: Recorder, tmp_path: Path, stdin: str
) -> None:
    (tmp_path / "in").write_bytes(b"hello\n")
    with (Path(os.devnull) if stdin == "null" else tmp_path / "in").open("rb") as given:
        ended = subprocess.run(
            recorder.tee.command("sums", python(ECHO)),
            stdin=given,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )

    assert ended.stdout == (b"" if stdin == "null" else b"hello\n")


def test_without_a_recorder_the_server_runs_all_the_same(recorder: Recorder) -> None:
    recorder.close_now()

    ended = run(recorder.tee.command("sums", python(ECHO)), input=b"hello\n")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"hello\n", b"")


def test_a_recorder_that_dies_in_the_middle_is_not_missed(recorder: Recorder) -> None:
    with start(recorder.tee.command("sums", python(f"{ECHO}; sys.stdout.flush()"))) as process:
        assert process.stdin
        assert process.stdout
        for word in (b"one\n", b"two\n", b"three\n"):
            process.stdin.write(word)
            process.stdin.flush()
            assert process.stdout.readline() == word
            recorder.drop_all()
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_recorder_that_takes_nothing_holds_up_nobody(recorder: Recorder) -> None:
    recorder.deaf = True
    given = b"x" * 1_000_000 + b"\n"

    ended = run(recorder.tee.command("sums", python(ECHO)), input=given)

    assert ended.stdout == given


def test_the_server_learns_that_the_agent_has_gone(recorder: Recorder) -> None:
    code = (
        "import sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
        "try:\n  print('x' * 100000, flush=True)\n  print('y' * 100000, flush=True)\n"
        "except BrokenPipeError:\n  sys.stderr.write('gone')\n  sys.stderr.flush()\n"
        "  sys.stdout = None"
    )
    with start(recorder.tee.command("sums", python(code))) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b"gone"
        assert process.wait(PATIENCE) == 0
    recorder.heard().rest()


def test_what_a_server_leaves_behind_still_speaks_to_the_agent(recorder: Recorder) -> None:
    code = (
        "import os, sys\nprint('one', flush=True)\n"
        "if os.fork() == 0:\n  sys.stdin.readline()\n  print('two', flush=True)"
    )
    with start(recorder.tee.command("sums", python(code))) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"one\n"
        assert process.wait(PATIENCE) == 0
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"two\n"
        process.stdin.close()
        assert process.stdout.read() == b""
    assert recorder.heard().lines() == ([b"go"], [b"one", b"two"])


def test_a_program_that_is_not_there(recorder: Recorder, tmp_path: Path) -> None:
    ended = run(recorder.tee.command("sums", [str(tmp_path / "none")]), input=b"")

    assert ended.returncode == 127
    assert b"No such file" in ended.stderr


def test_a_server_given_as_a_line(recorder: Recorder) -> None:
    ended = run(recorder.tee.line("printf '%s.' 'a b' \"it's\""), input=b"")
    by_shell = run(recorder.tee.line("printf x | cat"), input=b"")

    assert (ended.stdout, by_shell.stdout) == (b"a b.it's.", b"x")
    assert recorder.heard().hello["arg"] == ["printf", "%s.", "a b", "it's"]
    assert recorder.heard().hello["arg"] == ["/bin/bash", "-c", "printf x | cat"]


def test_the_mark_of_the_recorded_is_inherited(recorder: Recorder) -> None:
    recorder.tee.write(marker=51_002)
    code = "print(open('/proc/self/timerslack_ns').read())"

    assert run(recorder.tee.command("sums", python(code)), input=b"").stdout == b"51002\n\n"
    recorder.heard().rest()
