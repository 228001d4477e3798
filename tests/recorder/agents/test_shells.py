"""Which shells there are, and by which variables they are reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.recorder.agents import ShellHook
from traceproof.recorder.agents.shells import installed, on_path, preferred


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of programs of which some are shells."""
    for name in ("bash", "busybox", "zsh5", "notes.sh"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "zsh").symlink_to("zsh5")
    (tmp_path / "sh").symlink_to("busybox")
    (tmp_path / "dash").write_text("not executable")
    return tmp_path


def test_the_users_own_shell_stands_in_shell(folder: Path) -> None:
    assert preferred({"SHELL": f"{folder}/zsh"}) == [ShellHook("SHELL", f"{folder}/zsh")]


def test_without_one_it_is_the_bash_on_the_path(folder: Path) -> None:
    for shell in ("", "bash", f"{folder}/dash", f"{folder}/absent"):
        env = {"SHELL": shell, "PATH": str(folder)}
        assert preferred(env) == [ShellHook("SHELL", f"{folder}/bash")]


def test_without_any_it_is_sh(tmp_path: Path) -> None:
    assert preferred({"PATH": str(tmp_path)}) == [ShellHook("SHELL", "/bin/sh")]


def test_every_shell_on_the_path_is_found(folder: Path) -> None:
    found = on_path({"PATH": str(folder)})

    assert {hook.variable for hook in found} == {"PATH"}
    assert [hook.shell for hook in found] == [f"{folder}/{name}" for name in ("sh", "bash", "zsh")]


def test_shells_are_told_from_programs_of_many_names(folder: Path) -> None:
    shells, many = installed({"PATH": str(folder), "SHELL": f"{folder}/notes.sh"})

    ours = [path.name for path in shells if path.parent == folder]
    assert ours == ["bash", "zsh5"]
    assert many == [folder / "busybox", folder / "notes.sh"]


def test_those_of_this_machine_are_there_once() -> None:
    shells, _ = installed(os.environ)

    assert Path("/bin/sh").resolve() in shells
    assert len(shells) == len(set(shells)) == len({path.resolve() for path in shells})
