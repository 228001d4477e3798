"""Which hooks reach an agent's shells on this machine, and what stays out of their reach.

As root a mount namespace of the agent's own reaches every shell of every agent and changes nothing
in its environment, so it is used for all of them. Where there is none, the agent's own hooks are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from traceproof.recorder import namespaces
from traceproof.recorder.agents import Agent, ShellHook, shells
from traceproof.recorder.namespaces import Kind

OFF = "all shells: --no-shell"
_NAMES: Mapping[Kind, str] = {"mount": "namespace", "user": "user-namespace"}


class Plan(NamedTuple):
    """How an agent's shells are reached: by a namespace of a kind, or by variables."""

    kind: Kind | None = None
    covered: tuple[str, ...] = ()
    """The shells that launchers are put over, by their real paths."""
    variables: tuple[ShellHook, ...] = ()
    unhooked: tuple[str, ...] = ()
    """What is not reached, one line each."""

    @property
    def hooks(self) -> list[str]:
        """The names of the hooks."""
        if self.kind:
            return [_NAMES[self.kind]]
        return list(dict.fromkeys(hook.variable for hook in self.variables))


Refusal: TypeAlias = Callable[[Kind], str]
"""Says why this user cannot have a namespace of a kind, "" where that goes."""


def plan(
    agent: Agent,
    env: Mapping[str, str],
    *,
    user_namespace: bool = False,
    refusal: Refusal = namespaces.refusal,
) -> Plan:
    """Choose the hooks for an agent that is started with this environment.

    `user_namespace` allows one: a mount namespace within it needs no root.
    """
    found, many = shells.installed(env)
    kind: Kind | None = "user" if user_namespace and not refusal("user") else None
    if not refusal("mount"):
        kind = "mount"
    if kind and found:
        left = [f"{path}: a program of many names" for path in many]
        return Plan(kind, tuple(map(str, found)), unhooked=tuple(left))
    beyond = agent.beyond_hooks(env)
    why = f"no mount namespace: {refusal('mount')}"
    return Plan(
        variables=tuple(agent.shell_hooks(env)),
        unhooked=(f"{beyond}; {why}",) if beyond else (),
    )


def remedy(refusal: Refusal = namespaces.refusal) -> str:
    """Say what would reach every shell."""
    if os.getuid() == 0:
        return "let root make mount namespaces: in a container, --cap-add SYS_ADMIN"
    if refusal("user"):
        return f"record as root (no user namespace either: {refusal('user')})"
    return "record as root, or with --shell-namespace"
