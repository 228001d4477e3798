"""The docs against the command line, the Makefile and each other."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from traceproof.cli import app

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def pages(tracked: list[Path]) -> list[Path]:
    return [path for path in tracked if path.suffix == ".md"]


def commands(command: Any, name: str = "traceproof") -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner_name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {inner_name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_have_help(name: str) -> None:
    command = COMMANDS[name]

    assert command.help
    assert [p.name for p in command.params if not p.help and "--help" not in p.opts] == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if not COMMANDS[name].hidden])
def test_a_command_and_its_options_are_documented(name: str, root: Path) -> None:
    page = (root / "docs" / "commands.md").read_text()
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    options = [p for p in COMMANDS[name].params if not getattr(p, "hidden", False)]
    flags = [flag for option in options for flag in option.opts if flag.startswith("--")]

    assert section
    assert [flag for flag in flags if flag != "--help" and flag not in section] == []


def test_the_command_reference_is_current(root: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-P", "scripts/commands_doc.py", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_links_inside_the_docs_lead_somewhere(pages: list[Path]) -> None:
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in LINK.findall(FENCE.sub("", page.read_text()))
        if not re.match(r"[a-z]+:", target) and not leads_somewhere(page, target)
    ]

    assert broken == []


def leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = page.parent / name if name else page
    return path.exists() and (not anchor or anchor in anchors(path.read_text()))


def anchors(text: str) -> set[str]:
    """Give the anchors a Markdown page has, by the rule of the usual renderers."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


def shell_words(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command in a page's shell blocks."""
    for block in SHELL.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if "$ " in block and not line.startswith("$ "):
                continue  # what the command printed
            for command in re.split(r"\||&&|;", line.removeprefix("$ ")):
                words = shlex.split(command, comments=True)
                yield [w for i, w in enumerate(words) if "=" not in w or i > 0]


def test_make_commands_in_the_docs_exist(pages: list[Path], root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    used = {w[1] for page in pages for w in shell_words(page) if w[:1] == ["make"] and len(w) > 1}

    assert used - targets == set()


def test_traceproof_commands_in_the_docs_exist(pages: list[Path]) -> None:
    wrong = [
        f"{page.name}: {' '.join(words)}"
        for page in pages
        for words in shell_words(page)
        if words and Path(words[0]).name == "traceproof" and not exists(words[1:])
    ]

    assert wrong == []


def exists(words: list[str]) -> bool:
    """Say whether a command line names a command of ours and only options it has."""
    name, ours = "traceproof", words[: words.index("--")] if "--" in words else words
    while ours and f"{name} {ours[0]}" in COMMANDS:
        name, ours = f"{name} {ours[0]}", ours[1:]
    known = {flag for option in COMMANDS[name].params for flag in option.opts} | {"--help", "-h"}
    flags = {word.partition("=")[0] for word in ours if word.startswith("-")}
    needs_one = not getattr(COMMANDS[name], "invoke_without_command", True)
    return flags <= known and not (needs_one and set(ours) - flags)


def test_the_readme_names_its_two_commands(root: Path) -> None:
    shown = [" ".join(words) for words in shell_words(root / "README.md")]

    assert {"make demo", "make test"} <= set(shown)
