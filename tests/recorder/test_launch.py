"""The agent's terminal, signals and bytes are its own: checked on real terminals and shells."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.launch import find, launch
from traceproof.recorder.namespaces import Cover, Entry

PATH = os.environ["PATH"]
ENV = {"PATH": PATH, "LC_ALL": "C"}

LAUNCHER = """
import os, sys
from traceproof.recorder.launch import launch
child = launch(sys.argv[1:], dict(os.environ))
code = child.wait()
print(f"launcher: exit {code}", file=sys.stderr, flush=True)
sys.exit(code)
"""
"""What `record` does of it: launch, wait, exit with the child's code."""

OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
DEADLINE = 20.0


class Terminal:
    """A program on a terminal of its own, typed at and read like a person would."""

    def __init__(self, argv: list[str], *, rows: int = 24, columns: int = 80) -> None:
        self._master, slave = os.openpty()
        self.resize(rows, columns)
        command = [sys.executable, "-c", OWN_TERMINAL, *argv]
        env = {**ENV, "PS1": "prompt> ", "TERM": "dumb", "HOME": "/nonexistent"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=env
        )
        os.close(slave)
        self.text = ""
        self._read_to = 0

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def expect(self, pattern: str) -> re.Match[str]:
        """Read on until the pattern has come, after what the last one matched."""
        until = time.monotonic() + DEADLINE
        while not (found := re.compile(pattern).search(self.text, self._read_to)):
            ready, _, _ = select.select([self._master], [], [], until - time.monotonic())
            assert ready, f"{pattern!r} did not come; so far: {self.text!r}"
            try:
                self.text += os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                pytest.fail(f"{pattern!r} did not come before the end: {self.text!r}")
        self._read_to = found.end()
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE)
        os.close(self._master)


@pytest.fixture
def terminal() -> Iterator[type[Terminal]]:
    opened: list[Terminal] = []

    class Opened(Terminal):
        def __init__(self, argv: list[str], *, rows: int = 24, columns: int = 80) -> None:
            super().__init__(argv, rows=rows, columns=columns)
            opened.append(self)

    yield Opened
    for each in opened:
        each.close()


def launched(*argv: str) -> list[str]:
    return [sys.executable, "-c", LAUNCHER, *argv]


def python(code: str) -> list[str]:
    return launched(sys.executable, "-c", code)


def run(argv: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        argv, input=stdin, capture_output=True, env=ENV, timeout=DEADLINE, check=False
    )


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_code_comes_back(code: int) -> None:
    assert code == launch(["sh", "-c", f"exit {code}"], ENV).wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT])
def test_a_signal_comes_back_as_128_and_its_number(number: signal.Signals) -> None:
    assert 128 + number == launch(["sh", "-c", f"kill -{int(number)} $$"], ENV).wait()


def test_output_is_byte_identical() -> None:
    code = (
        "import random, sys; data = random.Random(7).randbytes(10 << 20);"
        "sys.stdout.buffer.write(data); sys.stderr.buffer.write(data[:4096])"
    )
    direct, through = run([sys.executable, "-c", code]), run(python(code))

    assert len(through.stdout) == 10 << 20
    assert hashlib.sha256(direct.stdout).digest() == hashlib.sha256(through.stdout).digest()
    assert direct.stderr + b"launcher: exit 0\n" == through.stderr


def test_input_passes_through() -> None:
    data = bytes(range(256)) * 4096

    assert data == run(launched("cat"), data).stdout


def test_the_child_has_the_environment_given_and_no_more(tmp_path: Path) -> None:
    out = tmp_path / "env"

    launch(["sh", "-c", 'exec env > "$OUT"'], {**ENV, "OUT": str(out)}).wait()

    names = {line.partition("=")[0] for line in out.read_text().splitlines()}
    assert {"PATH", "LC_ALL", "OUT"} == names - {"PWD", "SHLVL", "_"}


def test_a_file_our_caller_left_open_reaches_the_child_and_ours_do_not(tmp_path: Path) -> None:
    given, ours = os.open(tmp_path / "a", os.O_CREAT), os.open(tmp_path / "b", os.O_CREAT)
    os.set_inheritable(given, True)
    code = f"test -e /proc/self/fd/{given} && test ! -e /proc/self/fd/{ours}"

    try:
        assert launch(["sh", "-c", code], ENV).wait() == 0
    finally:
        os.close(given)
        os.close(ours)


def test_a_process_left_behind_does_not_hold_us() -> None:
    started = time.monotonic()
    through = subprocess.Popen(
        launched("sh", "-c", "sleep 30 & echo $!; exit 3"), stdout=subprocess.PIPE, env=ENV
    )
    assert through.stdout is not None
    left_behind = int(through.stdout.readline())

    try:
        assert through.wait(DEADLINE) == 3
        assert time.monotonic() - started < DEADLINE
        os.kill(left_behind, 0)
    finally:
        os.kill(left_behind, signal.SIGKILL)
        through.stdout.close()


def test_killed_we_leave_the_agent_running(tmp_path: Path) -> None:
    done = tmp_path / "done"
    os.mkfifo(done)
    code = f"echo $$; read line < {done}; echo went on"
    with subprocess.Popen(launched("sh", "-c", code), stdout=subprocess.PIPE, env=ENV) as through:
        assert through.stdout is not None
        through.stdout.readline()
        through.kill()
        through.wait(DEADLINE)

        done.write_text("now\n")
        assert through.stdout.readline() == b"went on\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_sent_to_us_alone_reaches_the_agent(number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    code = f"trap 'echo got {name}; exit 7' {name}; echo ready; while :; do sleep 0.05; done"
    through = subprocess.Popen(launched("sh", "-c", code), stdout=subprocess.PIPE, env=ENV)
    assert through.stdout is not None
    assert through.stdout.readline() == b"ready\n"

    through.send_signal(number)

    assert f"got {name}\n".encode() == through.stdout.read()
    assert through.wait(DEADLINE) == 7
    through.stdout.close()


PAIRS = """
import signal
both = {signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
for _ in range(51):
    print("ready", flush=True)
    left = set(both)
    while left:
        left.discard(signal.sigwait(left))
"""


def test_of_two_signals_at_once_none_is_late() -> None:
    through = subprocess.Popen(python(PAIRS), stdout=subprocess.PIPE, env=ENV)
    assert through.stdout is not None
    for _ in range(51):
        assert through.stdout.readline() == b"ready\n"
        through.send_signal(signal.SIGTERM)
        through.send_signal(signal.SIGHUP)

    assert through.wait(DEADLINE) == 0
    through.stdout.close()


SIGNALS = ("grep", "-E", "^Sig(Ign|Blk|Cgt)", "/proc/self/status")


def dispositions(argv: list[str]) -> dict[str, set[int]]:
    """Run a command line that ends in SIGNALS and return the signals ignored, blocked, caught.

    Signals 32 and 33 are glibc's own (its posix_spawn leaves them ignored) and not looked at.
    """
    fields = dict(line.split(b":\t") for line in run(argv).stdout.splitlines())
    return {
        name.decode(): {
            number for number in signal.valid_signals() if int(mask, 16) >> number - 1 & 1
        }
        for name, mask in fields.items()
    }


def test_the_child_starts_with_the_dispositions_we_were_given() -> None:
    assert dispositions([*SIGNALS]) == dispositions(launched(*SIGNALS))


def test_what_our_caller_ignored_stays_ignored() -> None:
    code = "trap '' INT HUP; exec \"$@\""

    through = dispositions(["sh", "-c", code, "sh", *launched(*SIGNALS)])

    assert through["SigIgn"] == {signal.SIGINT, signal.SIGHUP}


def test_our_own_handlers_come_back() -> None:
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    launch(["true"], ENV).wait()
    with pytest.raises(FileNotFoundError):
        launch(["/no/such/agent"], ENV)

    assert before == [signal.getsignal(number) for number in numbers]


def test_an_ended_child_is_sent_nothing() -> None:
    child = launch(["true"], ENV)
    child.wait()

    child.send(signal.SIGTERM)

    assert child.wait() == 0


def written(folder: Path, content: str, mode: int) -> str:
    file = folder / "agent"
    file.write_text(content)
    file.chmod(mode)
    return str(file)


def test_no_such_file_is_one_clear_line() -> None:
    with pytest.raises(FileNotFoundError, match=r"^/no/such/agent: no such file$"):
        launch(["/no/such/agent"], ENV)


def test_what_is_not_executable_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match=r"agent: not executable$"):
        launch([written(tmp_path, "#!/bin/sh\n", 0o644)], ENV)


def test_a_missing_interpreter_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"agent: its interpreter is missing$"):
        launch([written(tmp_path, "#!/no/such/python\n", 0o755)], ENV)


def test_an_interpreter_that_may_not_be_run_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match=r"agent: may not be executed$"):
        launch([written(tmp_path, f"#!{tmp_path}\n", 0o755)], ENV)


def test_a_folder_is_not_a_command(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="not executable"):
        launch([str(tmp_path)], ENV)


def test_a_script_without_an_interpreter_line_runs_in_sh(tmp_path: Path) -> None:
    script = tmp_path / "agent"
    script.write_text('exit "$1"\n')
    script.chmod(0o755)

    assert launch([str(script), "9"], ENV).wait() == 9


def test_a_broken_program_is_an_error_of_the_system(tmp_path: Path) -> None:
    looped = tmp_path / "loop"
    looped.symlink_to(looped)

    with pytest.raises(FileNotFoundError):
        launch([str(looped)], ENV)


def test_commands_are_found_on_the_childs_path(tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text("#!/bin/sh\n")

    env = {"PATH": str(tmp_path)}
    with pytest.raises(PermissionError, match="agent: found on PATH, but not executable"):
        find("agent", env)
    agent.chmod(0o755)
    assert str(agent) == find("agent", env)
    with pytest.raises(FileNotFoundError, match="agent: command not found"):
        find("agent", {"PATH": "/nonexistent"})


def test_in_a_namespace_what_lies_there_is_seen(tmp_path: Path) -> None:
    for name in ("covered", "placeholder", "over"):
        (tmp_path / name).write_text(name)
    words = [str(tmp_path / name) for name in ("covered", "placeholder", "over")]
    child = launch(
        ["grep", "-qx", "over", words[0]], ENV, Entry("mount", str(tmp_path), (Cover(*words),))
    )

    assert (child.wait(), child.refusal) == (0, "")


def test_where_there_is_no_namespace_the_child_runs_without(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    child = launch(["true"], ENV, Entry("mount", str(tmp_path), (Cover(absent, absent, absent),)))

    assert child.wait() == 0
    assert child.refusal == f"{absent}: No such file or directory"


def test_an_empty_command_is_refused() -> None:
    with pytest.raises(ValueError, match="no command given"):
        launch([], ENV)


def test_elsewhere_than_in_the_main_thread_is_refused() -> None:
    caught: list[Exception] = []

    def attempt() -> None:
        try:
            launch(["true"], ENV)
        except ValueError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    assert len(caught) == 1


def test_the_window_size_is_the_terminals(terminal: type[Terminal]) -> None:
    tty = terminal(launched("stty", "size"), rows=33, columns=77)

    tty.expect("33 77\r\n")
    tty.expect("launcher: exit 0")


def test_a_resize_reaches_the_child(terminal: type[Terminal]) -> None:
    code = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"
    tty = terminal(launched("sh", "-c", code))
    tty.expect("ready")

    tty.resize(50, 132)

    tty.expect("50 132")


def test_raw_mode_is_the_childs(terminal: type[Terminal]) -> None:
    code = (
        "import sys, tty; tty.setraw(0); print('raw', flush=True);"
        "print(sys.stdin.buffer.raw.read(1), sys.stdin.buffer.raw.read(1))"
    )
    tty = terminal(python(code))
    tty.expect("raw")

    tty.type("\x03")
    tty.type("\x1a")

    tty.expect(re.escape(r"b'\x03' b'\x1a'"))


def test_ctrl_c_reaches_the_child_once_and_we_live_on(terminal: type[Terminal]) -> None:
    code = (
        "import os, signal; seen = []; out, into = os.pipe(); os.set_blocking(into, False)\n"
        "signal.set_wakeup_fd(into)\n"
        "def note(*_): seen.append(1); os.write(1, b'interrupted\\n')\n"
        "signal.signal(signal.SIGINT, note)\n"
        "def end(*_): os.write(1, b'interrupts %d\\n' % len(seen)); os._exit(5)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "os.write(1, b'ready\\n')\n"
        "while True: os.read(out, 1)\n"  # not `pause`, which misses a signal that comes just before
    )
    tty = terminal(python(code))
    tty.expect("ready")
    tty.type("\x03")
    tty.expect("interrupted")

    tty.process.terminate()

    tty.expect("interrupts 1\r\n")
    tty.expect("launcher: exit 5")


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x1c", 131)])
def test_a_child_that_dies_of_a_key_is_told_by_its_code(
    terminal: type[Terminal], key: str, code: int
) -> None:
    tty = terminal(launched("sh", "-c", "ulimit -c 0; echo ready; exec sleep 30"))
    tty.expect("ready")
    tty.type(key)

    tty.expect(f"launcher: exit {code}")


def shell(terminal: type[Terminal], tmp_path: Path, *argv: str) -> Terminal:
    """Start an interactive shell with job control, where `agent` is the command launched."""
    script = tmp_path / "agent"
    quoted = subprocess.list2cmdline(argv)
    (tmp_path / "launcher.py").write_text(LAUNCHER)
    script.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path}/launcher.py {quoted}\n")
    script.chmod(0o755)
    tty = terminal(["bash", "--norc", "--noprofile", "-i"])
    tty.expect("prompt> ")
    tty.type(f"{script}\n")
    return tty


def test_ctrl_z_and_fg(terminal: type[Terminal], tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(
        "import os, signal, sys\n"
        "signal.signal(signal.SIGCONT, lambda *_: os.write(1, b'continued\\n'))\n"
        "os.write(1, b'ready\\n')\n"
        "while line := sys.stdin.readline(): os.write(1, b'got ' + line.encode())\n"
    )
    tty = shell(terminal, tmp_path, sys.executable, str(script))
    tty.expect("ready\r\n")
    tty.type("one\n")
    tty.expect("got one\r\n")

    tty.type("\x1a")
    tty.expect("Stopped")
    tty.expect("prompt> ")
    tty.type("fg\n")
    tty.expect("continued\r\n")
    tty.type("two\n")
    tty.expect("got two\r\n")

    tty.type("\x04")
    tty.expect("launcher: exit 0")


def test_a_child_that_ignores_ctrl_z_keeps_the_terminal(
    terminal: type[Terminal], tmp_path: Path
) -> None:
    script = tmp_path / "deaf.sh"
    script.write_text("trap '' TSTP; echo ready; read line; echo got $line; exit 6\n")
    tty = shell(terminal, tmp_path, "sh", str(script))
    tty.expect("ready\r\n")
    tty.type("\x1a")
    tty.expect(re.escape("^Z"))

    tty.type("still here\n")

    tty.expect("got still here")
    tty.expect("launcher: exit 6")


def test_a_child_that_stops_itself_gives_the_terminal_back(
    terminal: type[Terminal], tmp_path: Path
) -> None:
    script = tmp_path / "stopping.sh"
    script.write_text("echo stopping; kill -STOP $$; echo going on; exit 4\n")
    tty = shell(terminal, tmp_path, "sh", str(script))

    tty.expect("stopping\r\n")
    tty.expect("Stopped")
    tty.expect("prompt> ")
    tty.type("fg\n")

    tty.expect("going on")
    tty.expect("launcher: exit 4")


def test_an_ignored_sigchld_does_not_hide_how_the_child_ended() -> None:
    ignoring = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + LAUNCHER

    done = subprocess.run(
        [sys.executable, "-c", ignoring, "sh", "-c", "exit 7"],
        env=ENV,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 7
