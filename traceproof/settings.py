"""What `record` was asked to do, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from traceproof.proxy.hosts import parse_host
from traceproof.proxy.routes import parse_routes
from traceproof.recorder import agents
from traceproof.recorder.agents import Agent
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task


@dataclass(frozen=True)
class Settings:
    """One recording to be made."""

    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(repr=False)
    store: Store
    task: Task
    mode: Literal["forward", "reverse"] = "forward"
    hosts: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    port: int = 0
    on_failure: Literal["open", "closed"] = "open"
    patterns: bool = False
    """Mask what looks like a credential too, not only known values."""
    snapshots: Literal["on", "all", "off"] = "on"
    """Record the workspace: without what git ignores, with it, or not."""
    shell: bool = True
    """Record the commands that the agent's shells run."""
    user_namespace: bool = False
    """Not root: reach all shells by a user namespace, which the agent can see."""
    agent_name: str = ""
    """Overrides what the command line tells."""

    @property
    def agent(self) -> Agent:
        """The adapter for the command.

        Raises:
            ValueError: there is none of the name that was asked for.
        """
        if self.agent_name:
            return agents.by_name(self.agent_name)
        return agents.recognise(self.command)

    @property
    def display_name(self) -> str:
        """The agent's name, as it stands in the trace and in file names."""
        return agents.name_of(self.agent, self.command)

    def check(self) -> None:
        """Check what can be checked before anything is started.

        Raises:
            ValueError: the agent's name, a host or a route is wrong.
        """
        _ = self.agent
        for host in self.hosts:
            parse_host(host)
        parse_routes(self.routes)
