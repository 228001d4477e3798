"""What an agent adapter says: how its command looks, what redirects it, whose a call is.

An adapter runs nothing and reads no secret: it answers from the command line, the environment and
what is on the wire. Adding an agent is one file beside this one and one row in the registry
(`traceproof.recorder.agents`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from traceproof.recorder.agents.intext import InText
from traceproof.recorder.messages import Part

MAIN = "main"
"""The purpose of a call that works on the task, and of any call not known to be a side call."""


class BaseUrl(NamedTuple):
    """An environment variable that holds a model API's address.

    `suffix` is what the agent expects after the host: the reverse proxy's address for `host`, then
    the suffix, is the variable's value. `host_in` says which host it is (or the whole URL), where
    that depends on the user's environment. Without a variable, `Agent.arguments` tells the agent.
    """

    variable: str
    host: str
    suffix: str = ""
    host_in: Callable[[Mapping[str, str]], str] | None = None

    def usual(self, env: Mapping[str, str]) -> str:
        """Return the host that the agent would call by itself."""
        return self.host_in(env) if self.host_in else self.host


class ShellHook(NamedTuple):
    """A variable that makes the agent run a program of ours instead of a shell.

    `shell` is the path of the shell that it would run, or that stands there on the `PATH`. In
    `PATH`, a folder with our program goes first; any other variable is set to the program itself.
    """

    variable: str
    shell: str


class LaunchContext(NamedTuple):
    """What an adapter may know when it sets up the child.

    `env` is the environment the user gave. `receiver` is the base address of our OTLP receiver
    (`http://127.0.0.1:4318/secret`), empty when there is none; `traceparent` names our root span
    the W3C way (`00-<trace id>-<span id>-01`).
    """

    env: Mapping[str, str]
    mode: Literal["forward", "reverse"] = "forward"
    receiver: str = ""
    traceparent: str = ""


class Identity(NamedTuple):
    """Whose a model call is; an empty field is unknown, an empty `agent_id` the main agent.

    `thread_id` is what the agent that asks calls itself in the environment of its commands.
    """

    session_id: str = ""
    agent_id: str = ""
    parent_agent_id: str = ""
    agent_type: str = ""
    thread_id: str = ""


class ModelCall(NamedTuple):
    """What tells a side call from a turn.

    `path` has no query; header names are lower-case; `head` is the request object without its
    messages, system prompt and tools. `system` is the text of the system prompt, wherever the wire
    format keeps it, and `prompt` the text of the last message.
    """

    path: str = ""
    headers: Mapping[str, str] = {}
    head: Mapping[str, object] = {}
    system: str = ""
    prompt: str = ""


class Agent(Protocol):
    """One coding agent. `traceproof.recorder.agents.generic` answers all of it with nothing."""

    name: str
    """Goes into file names and `gen_ai.agent.name`."""
    base_urls: Sequence[BaseUrl]
    """What redirects it in reverse mode."""
    sub_agent_id: re.Pattern[str] | None
    """Finds a sub-agent's id (first group) in the result of the tool call that ran it."""
    in_text: InText | None
    """How it takes commands out of what the model wrote, where it does."""

    def recognises(self, argv: Sequence[str], /) -> bool:
        """Tell whether a command line starts this agent."""

    def version(self, argv: Sequence[str], env: Mapping[str, str], /) -> str | None:
        """Return the version installed, where a file beside the program says it."""

    def environment(self, context: LaunchContext, /) -> dict[str, str]:
        """Return the variables to add to the child's environment, beside what the proxy needs."""

    def arguments(
        self, argv: Sequence[str], env: Mapping[str, str], addresses: Mapping[BaseUrl, str], /
    ) -> list[str]:
        """Return the command line to start, where variables alone do not redirect the agent.

        `addresses` are those of the reverse proxy, for each of `base_urls`; none in forward mode.
        """

    def shell_hooks(self, env: Mapping[str, str], /) -> list[ShellHook]:
        """Return what makes the agent start the recorder's program for its shells, if anything."""

    def beyond_hooks(self, env: Mapping[str, str], /) -> str:
        """Say which of its shells `shell_hooks` do not reach; "" where there are none."""

    def notes(self, context: LaunchContext, /) -> list[str]:
        """Return one-line remarks on what was left undone, for the user."""

    def configured_hosts(self, env: Mapping[str, str], /) -> set[str]:
        """Return the hosts that the user's own base URLs name: gateways, to be decrypted too."""

    def identify(self, headers: Mapping[str, str], body: Mapping[str, object], /) -> Identity:
        """Return whose a call is; header names are lower-case, `body` is the request object."""

    def purpose(self, call: ModelCall, /) -> str:
        """Return why a call was made: `main`, unless it is surely a side call."""

    def said_by_user(self, text: str, /) -> str:
        """Return what the user said in one text of a user's message: "" where the agent speaks."""

    def sent(self, headers: Mapping[str, str], /) -> bool:
        """Tell whether a call's headers (names in lower case) are surely this agent's."""

    def version_from(self, headers: Mapping[str, str], /) -> str | None:
        """Return the version that a call's headers tell."""

    def credential_files(self, env: Mapping[str, str], home: Path, cwd: Path, /) -> list[Path]:
        """Return files, there or not, that may hold secrets the agent will use."""


def text_of(parts: Iterable[Part]) -> str:
    """Join the text parts of a message or a system prompt, one a line."""
    return "\n".join(str(part.get("content", "")) for part in parts if part.get("type") == "text")


def hosts_in(base_urls: Iterable[BaseUrl], env: Mapping[str, str]) -> set[str]:
    """Return the host names of the URLs in these variables; what is no URL names none."""
    return hosts_of(env.get(entry.variable, "") for entry in base_urls)


def hosts_of(urls: Iterable[str]) -> set[str]:
    """Return the host names of URLs; what is no URL names none."""
    hosts = map(_host, urls)
    return {host for host in hosts if host}


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
