from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest

from traceproof import __version__
from traceproof.cli import command

COMMANDS = [
    *("demo", "record", "pause", "resume", "exclude", "import"),
    *("ls", "show", "facts", "raw", "checkout", "repair", "replay", "verify"),
    *("export", "push", "worker", "doctor", "proxy", "sandbox"),
]


def group() -> click.Group:
    found = command()
    assert isinstance(found, click.Group)
    return found


def test_the_commands_stand_in_the_order_in_which_one_needs_them() -> None:
    assert list(group().commands) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_says_what_it_is_for(name: str) -> None:
    found = group().commands[name]

    assert found.help
    for parameter in found.params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"record"}))
def test_every_command_but_record_can_answer_in_json(name: str) -> None:
    found = group().commands[name]
    below = isinstance(found, click.Group) and not found.invoke_without_command
    commands = (
        list(found.commands.values()) if isinstance(found, click.Group) and below else [found]
    )

    for each in commands:
        assert "--json" in [word for parameter in each.params for word in parameter.opts]


@pytest.mark.parametrize(
    "arguments", [["-h"], ["--help"], *([name, "--help"] for name in COMMANDS)]
)
def test_help_is_on_stdout(here: Callable[..., Any], arguments: list[str]) -> None:
    code, out, err = here(*arguments)

    assert (code, err) == (0, "")
    assert out.startswith("Usage: traceproof ")


def test_without_a_command_there_is_help_and_it_is_wrong_usage(here: Callable[..., Any]) -> None:
    code, out, err = here()

    assert (code, out) == (2, "")
    assert err.startswith("Usage: traceproof ")


def test_the_version(here: Callable[..., Any]) -> None:
    assert here("--version") == (0, f"traceproof {__version__}\n", "")
