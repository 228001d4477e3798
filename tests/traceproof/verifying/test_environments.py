from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Project
from traceproof.verifying.asked import About
from traceproof.verifying.environments import command_of, configuration
from traceproof.verifying.gathering import gather, write_trees

SAYS = 'test = "{}"\n'


def command(about: About, scratch: Path, stack: ExitStack) -> str:
    """Return the command that an `about` comes to."""
    subject = gather(about, scratch, scratch, stack)
    return str(command_of(subject, configuration(subject, write_trees(subject, scratch), scratch)))


def of(work: Project, **more: Any) -> About:
    return About(repo=str(work.folder), commit="HEAD", **more)


def test_the_configuration_says_it(work: Project, scratch: Path, stack: ExitStack) -> None:
    work.write("traceproof.toml", SAYS.format("pytest --own"))
    work.commit()

    assert command(of(work), scratch, stack) == "pytest --own"


def test_an_option_says_it_first(work: Project, scratch: Path, stack: ExitStack) -> None:
    work.write("traceproof.toml", SAYS.format("pytest --own"))
    work.commit()

    assert command(of(work, tests="pytest --given"), scratch, stack) == "pytest --given"


def test_what_the_change_itself_says_does_not_count(
    work: Project, scratch: Path, stack: ExitStack
) -> None:
    work.write("traceproof.toml", SAYS.format("true"))
    work.git("add", "-AN")
    patch = scratch.parent / "easy.patch"
    patch.write_text(work.git("diff") + "\n")
    work.git("reset", "-q", "--hard")

    with pytest.raises(ValueError, match="which command runs the tests"):
        command(of(work, patch=str(patch)), scratch, stack)


def test_one_beside_the_trace_counts_first(mended: Path, scratch: Path, stack: ExitStack) -> None:
    (mended.parent / "traceproof.toml").write_text(SAYS.format("pytest --beside"))

    assert command(About(trace=str(mended)), scratch, stack) == "pytest --beside"


def test_nothing_says_it(mended: Path, scratch: Path, stack: ExitStack) -> None:
    with pytest.raises(ValueError, match="the trace ran no tests: give --tests"):
        command(About(trace=str(mended)), scratch, stack)
