"""What a shell is called and gets: its arguments, its environment, where it is found."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.shim import Recorder
from traceproof.recorder.shim import command


def run(launcher: Path, *words: str, **more: Any) -> bytes:
    done = subprocess.run(
        words, executable=launcher, stdout=subprocess.PIPE, check=True, timeout=60, **more
    )
    return done.stdout


@pytest.mark.parametrize(("placeholder", "found"), [("", b"/bin/sh"), ("/a/place", b"/a/place")])
def test_a_covered_shell_is_found_at_its_placeholder(placeholder: str, found: bytes) -> None:
    assert command.shell({"placeholder": placeholder, "real": "/bin/sh"}) == found


def test_a_launcher_that_is_called_by_its_path_is_the_shell(recorder: Recorder) -> None:
    bash = recorder.folder().launcher("shell", "/bin/bash")

    assert run(bash, str(bash), "-c", "echo $0") == b"/bin/bash\n"
    assert recorder.command().arguments[0] == "/bin/bash"


def test_what_the_recorder_itself_starts_is_the_agent(recorder: Recorder) -> None:
    bash = recorder.folder(starter=os.getpid()).launcher("path", "/bin/bash")
    env = {"PATH": f"{bash.parent}:/usr/bin:/bin"}

    assert (
        run(bash, "bash", "-c", "echo $PATH $$ $PPID", env=env).split()[0] == env["PATH"].encode()
    )
    assert recorder.commands == []


def test_a_launch_keeps_the_hooks(tmp_path: Path) -> None:
    with Recorder(tmp_path, go={"verdict": "launch"}) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")
        path = f"{bash.parent}:/usr/bin:/bin"

        assert run(bash, "bash", "-c", "echo $PATH", env={"PATH": path}).decode() == f"{path}\n"

        assert [kind for kind, _, _ in recorder.command().packets] == [b"H"]


def test_a_folder_that_is_gone_is_the_folder(recorder: Recorder, tmp_path: Path) -> None:
    bash = recorder.folder().launcher("path", "/bin/bash")
    (tmp_path / "here").mkdir()
    script = f"cd {tmp_path}/here && rmdir ../here && exec {bash} -c 'readlink /proc/self/cwd'"

    assert run(Path("/bin/sh"), "sh", "-c", script) == f"{tmp_path}/here (deleted)\n".encode()
    assert recorder.command()["cwd"] == f"{tmp_path}/here (deleted)"
