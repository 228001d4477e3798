"""The hooks that are chosen for an agent, by what this user may do here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from traceproof.hooks import plan
from traceproof.recorder.agents import by_name
from traceproof.recorder.namespaces import Kind

ENV = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/bash"}


def refused(**reasons: str) -> Callable[[Kind], str]:
    """Refuse namespaces for these reasons."""
    return lambda kind: reasons.get(kind, "")


@pytest.mark.parametrize("name", ["claude-code", "codex", "generic"])
def test_root_reaches_every_shell_of_every_agent(name: str) -> None:
    chosen = plan(by_name(name), ENV)

    assert (chosen.hooks, chosen.variables, chosen.unhooked) == (["namespace"], (), ())
    assert str(Path("/bin/sh").resolve()) in chosen.covered


def test_without_a_namespace_the_agents_own_hooks_are_used() -> None:
    refusal = refused(mount="unshare: Operation not permitted")

    opencode, codex = (plan(by_name(name), ENV, refusal=refusal) for name in ("opencode", "codex"))

    assert (opencode.kind, opencode.hooks, opencode.unhooked) == (None, ["SHELL"], ())
    assert (codex.kind, codex.hooks) == (None, [])
    (left,) = codex.unhooked
    assert left.startswith("all of them: it runs the shell of the user's passwd entry by its path")
    assert left.endswith("; no mount namespace: unshare: Operation not permitted")


def test_a_user_namespace_is_used_where_it_is_asked_for() -> None:
    refusal = refused(mount="only root may")

    asked = plan(by_name("codex"), ENV, user_namespace=True, refusal=refusal)

    assert (asked.kind, asked.hooks, asked.unhooked) == ("user", ["user-namespace"], ())
    assert plan(by_name("codex"), ENV, refusal=refusal).kind is None


def test_a_shell_that_is_one_name_of_many_is_not_reached(tmp_path: Path) -> None:
    (tmp_path / "busybox").touch(mode=0o755)
    (tmp_path / "sh").symlink_to("busybox")

    chosen = plan(by_name("codex"), ENV | {"PATH": f"{tmp_path}:/bin"})

    assert chosen.unhooked == (f"{tmp_path}/busybox: a program of many names",)
