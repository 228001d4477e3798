"""Whatever happens to the recorder or to us, the agent gets its shell; and it cannot tell."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from support.shim import Recorder
from traceproof.recorder.shim.install import ShimFolder

PATIENCE = 60


def run(
    launcher: str | Path, script: str, name: str = "bash", **more: Any
) -> tuple[int, bytes, bytes]:
    """Run a script as an agent would; return its exit code, output and errors."""
    done = subprocess.run(
        ["bash", "-c", script, name],
        executable=launcher,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        **{"stdin": subprocess.DEVNULL, **more},
    )
    return done.returncode, done.stdout, done.stderr


def test_a_command_is_recorded(either: str, recorder: Recorder) -> None:
    assert run(either, "echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")

    command = recorder.command()
    assert (command["kind"], command["hook"], command["real"]) == ("shell", "path", "/bin/bash")
    assert command.arguments == ["bash", "-c", "echo out; echo err >&2; exit 3", "bash"]
    assert command["cwd"] == str(Path.cwd())
    assert command["ppid"] == str(os.getpid())
    assert (command["fd0"], command["fd1"], command["fd2"]) == ("null", "pipe", "pipe")
    assert (command.stdout, command.stderr) == (b"out\n", b"err\n")
    assert command.ended["code"] == "3"
    assert int(command.ended["maxrss_kb"]) > 0
    assert command.drained == {"outlived": "0", "lost": "0"}


def test_the_hello_says_the_pid_of_the_shell(bash: str, recorder: Recorder) -> None:
    _, output, _ = run(bash, "echo $$")

    assert recorder.command()["pid"] == output.decode().strip()


def test_the_name_it_was_called_by_is_kept(bash: str) -> None:
    script = b"echo $0; nonsense"
    done = subprocess.run(
        ["a name"], executable=bash, input=script, capture_output=True, check=False
    )

    assert done.stdout == b"a name\n"
    assert done.stderr == b"a name: line 1: nonsense: command not found\n"


def test_the_launchers_own_path_is_the_shells(recorder: Recorder) -> None:
    launcher = str(recorder.folder().launcher("shell", "/bin/bash"))
    done = subprocess.run([launcher, "-c", "echo $0"], stdout=subprocess.PIPE, check=False)

    assert done.stdout == b"/bin/bash\n"
    assert recorder.command().arguments == ["/bin/bash", "-c", "echo $0"]


NAMES = 'echo "$0 $BASH"; nonsense'
FEW = "ulimit -n 20; exec "
"""Too few descriptors for a Python."""


@pytest.mark.parametrize("name", ["its own path", "a name", ""])
def test_a_shell_that_goes_unrecorded_has_the_name_it_would_have(
    recorder: Recorder, name: str
) -> None:
    launcher = str(recorder.folder().launcher("shell", "/bin/bash"))
    own = name == "its own path"
    given = launcher if own else name

    one, other = (
        run("/bin/bash", f"{FEW} -a '{named}' {shell} -c '{NAMES}'")
        for named, shell in (("/bin/bash" if own else given, "/bin/bash"), (given, launcher))
    )

    assert other == one
    assert recorder.commands == []


def test_a_name_that_goes_on_from_the_launchers_is_another(recorder: Recorder) -> None:
    launcher = str(recorder.folder().launcher("shell", "/bin/bash"))
    begins, goes_on = launcher[:-1], f"{launcher}2"

    for name in (begins, goes_on):
        script = f"{FEW} -a {name} {launcher} -c 'echo $0'"
        assert run("/bin/bash", script)[1] == f"{name}\n".encode()


def test_no_name_at_all_is_a_name(either: str, recorder: Recorder) -> None:
    script = f"exec -a '' {either} -c 'echo out; exit 3'"

    assert run("/bin/bash", script) == (3, b"out\n", b"")
    command = recorder.command()
    assert command.arguments[1:] == ["-c", "echo out; exit 3"]
    assert command.stdout == b"out\n"


def test_no_recorder(tmp_path: Path) -> None:
    folder = ShimFolder(tmp_path / "shim", tmp_path / "nobody", "a-token")

    assert run(folder.launcher("path", "/bin/bash"), "echo out; exit 3") == (3, b"out\n", b"")


def test_a_recorder_that_is_gone_leaves_a_socket_behind(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")

    assert run(bash, "echo out; exit 3") == (3, b"out\n", b"")


def test_no_python(recorder: Recorder, bash: str) -> None:
    (Path(bash).parent.parent / "traceproof").unlink()

    assert run(bash, "echo $0; exit 3") == (3, b"bash\n", b"")
    assert recorder.commands == []


def test_a_recorder_that_does_not_answer_in_time(tmp_path: Path) -> None:
    with Recorder(tmp_path, silent=True) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")

        assert run(bash, "echo out; exit 3") == (3, b"out\n", b"")

        assert recorder.command().stdout == b"out\n"


SLOW = "import os, time; fork = os.fork; os.fork = lambda: time.sleep(0.4) or fork()"
"""Makes of this machine one that takes longer for a process than the recorder may for an answer."""


def test_a_machine_that_is_slow_is_no_recorder_that_is(recorder: Recorder) -> None:
    bash = recorder.folder(machine="other").launcher("path", "/bin/bash")
    interpreter, _, program = bash.read_text().partition("\n")
    bash.write_text(f"{interpreter}\n{SLOW}\n{program}")

    assert run(bash, "echo out; exit 3") == (3, b"out\n", b"")

    assert recorder.command().stdout == b"out\n"


def test_a_recorder_that_answers_late(tmp_path: Path) -> None:
    with Recorder(tmp_path, silent=True) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")
        process = subprocess.Popen(
            ["bash", "-c", "echo out; read -r line; echo more"],
            executable=bash,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        assert process.stdout.readline() == b"out\n"
        command = recorder.command(closed=False)
        recorder.answer(command)

        assert process.communicate(b"\n", timeout=PATIENCE)[0] == b"more\n"
        assert recorder.command(command).stdout == b"out\nmore\n"


def test_a_recorder_that_never_reads(tmp_path: Path) -> None:
    with Recorder(tmp_path, deaf=True) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")

        code, output, _ = run(bash, "head -c 8000000 /dev/zero; exit 3")

        assert (code, len(output)) == (3, 8_000_000)


def test_a_recorder_that_dies_in_the_middle(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")
        process = subprocess.Popen(
            ["bash", "-c", "echo out; read -r line; head -c 3000000 /dev/zero; exit 3"],
            executable=bash,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        assert process.stdout.readline() == b"out\n"
        recorder.kill()

        output, _ = process.communicate(b"\n", timeout=PATIENCE)
        assert (process.returncode, len(output)) == (3, 3_000_000)


def test_a_stranger_at_the_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(str(tmp_path / "socket"))
        server.listen()

        def answer() -> None:
            with server.accept()[0] as link:
                link.recv(70000)
                link.send(b"what?")
                link.recv(70000)

        stranger = threading.Thread(target=answer)
        stranger.start()
        folder = ShimFolder(tmp_path / "shim", tmp_path / "socket", "a-token")
        ended = run(folder.launcher("path", "/bin/bash"), "echo out; exit 3")
        stranger.join(PATIENCE)

    assert ended == (3, b"out\n", b"")


@pytest.mark.parametrize("native", [True, False], ids=["native", "script"])
def test_a_command_that_is_to_pass_runs_in_our_place(tmp_path: Path, native: bool) -> None:
    with Recorder(tmp_path, go={"verdict": "pass"}) as recorder:
        folder = recorder.folder(machine=None if native else "other")
        bash = str(folder.launcher("path", "/bin/bash"))
        process = subprocess.Popen(
            ["bash", "-c", "echo $$ $PPID; cat /proc/self/timerslack_ns"],
            executable=bash,
            stdout=subprocess.PIPE,
        )
        output, _ = process.communicate(timeout=PATIENCE)

        assert output.decode() == f"{process.pid} {os.getpid()}\n50000\n"
        assert [kind for kind, _, _ in recorder.command().packets] == [b"H"]


def test_nested_shells_pass_through(bash: str, recorder: Recorder) -> None:
    script = f"{bash} -c 'echo inner; {bash} -c \"echo $PPID; exit 4\"'; echo $?"
    code, output, _ = run(bash, script)

    assert (code, output.split()[0], output.split()[-1]) == (0, b"inner", b"4")
    assert len(recorder.commands) == 1


def test_one_recording_runs_inside_another(tmp_path: Path, bash: str, recorder: Recorder) -> None:
    (tmp_path / "inner").mkdir()
    with Recorder(tmp_path / "inner") as inside:
        folder = ShimFolder(tmp_path / "inner" / "shim", inside.path, "another-token")
        inner = folder.launcher("path", "/bin/bash")
        inside.token = "another-token"

        assert run(bash, f"{inner} -c 'echo inner'")[1] == b"inner\n"

        assert inside.command().stdout == b"inner\n"
        assert recorder.command().stdout == b"inner\n"


def test_the_recorder_sets_and_unsets_variables(tmp_path: Path) -> None:
    go = {"verdict": "record", "set.ADDED": "a=b", "unset.TAKEN": ""}
    with Recorder(tmp_path, go=go) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")
        env = {"TAKEN": "1", "KEPT": "2", "PATH": os.environ["PATH"]}

        assert run(bash, "echo $ADDED $TAKEN $KEPT", env=env)[1] == b"a=b 2\n"


def test_the_environment_is_the_users_again(recorder: Recorder) -> None:
    folder = recorder.folder(originals={"SHELL": "/bin/zsh"})
    bash = folder.launcher("path", "/bin/bash")
    env = {"PATH": f"{bash.parent}:/usr/bin:/bin", "SHELL": str(bash), "PREFIX": str(bash)}

    code, output, _ = run(bash, "echo $PATH $SHELL ${PREFIX-none}; type -P bash", env=env)

    assert (code, output) == (0, b"/usr/bin:/bin /bin/zsh none\n/usr/bin/bash\n")


def test_the_prefix_hook_takes_a_whole_command_line(recorder: Recorder) -> None:
    prefix = recorder.folder().launcher("prefix", "/bin/bash")

    done = subprocess.run(
        [prefix, "echo $0; exit 3"], stdout=subprocess.PIPE, check=False, timeout=PATIENCE
    )

    assert (done.returncode, done.stdout) == (3, b"/bin/bash\n")
    assert recorder.command().arguments == ["/bin/bash", "-c", "echo $0; exit 3"]


SEEN = """
cat /proc/$$/environ | tr '\\0' '\\n'; tr '\\0' ' ' < /proc/$$/cmdline; cat /proc/$$/comm
grep -E '^(Sig[A-P]|Shd|Cap|Umask|NoNew|Seccomp)' /proc/$$/status; cat /proc/$$/limits
set -- /proc/$$/fd/*; echo ${@##*/}; readlink /proc/$$/exe; pwd; umask
pgrep -c -f looked-for
"""


def test_a_shell_sees_no_difference(bash: str) -> None:
    plain, shim = (run(path, SEEN) for path in ("/bin/bash", bash))

    assert shim[1].splitlines() == plain[1].splitlines()
    assert shim == plain


def test_descriptors_of_the_agent_reach_the_shell_and_ours_do_not(bash: str) -> None:
    reads, writes = os.pipe()
    script = f"echo more >&{writes}; set -- /proc/$$/fd/*; echo ${{@##*/}}"
    plain, shim = (
        run(path, script, pass_fds=(writes,), stdin=None) for path in ("/bin/bash", bash)
    )
    os.close(writes)

    assert shim == plain
    assert os.read(reads, 100) == b"more\nmore\n"
    assert os.read(reads, 100) == b""
    os.close(reads)


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stay_closed(bash: str, tmp_path: Path, closing: str) -> None:
    script = f"set -- /proc/$$/fd/*; echo ${{@##*/}} > {tmp_path}/count; echo x; echo y >&2"
    found = []
    for path in ("/bin/bash", bash):
        ended = run("/bin/sh", f'exec {path} -c "$0" {closing}', name=script, stdin=None)
        found.append((ended, (tmp_path / "count").read_text()))

    assert found[0][1] == found[1][1]
    assert found[0][0][:2] == found[1][0][:2]


def test_too_little_of_everything_for_us_is_enough_for_the_shell(bash: str) -> None:
    limited = f"ulimit -v 100000; exec {bash} -c 'echo out; exit 3'"

    assert run("/bin/sh", limited) == (3, b"out\n", b"")


ASKED = "pgrep -c -x bash -g 0; pgrep -c -g 0 python; pgrep -c -g 0 -f looked-for"


def test_who_looks_for_processes_finds_no_more(bash: str) -> None:
    plain, shim = (run(path, ASKED, process_group=0) for path in ("/bin/bash", bash))

    assert shim == plain
