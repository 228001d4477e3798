"""Runs, in real boxes: a local one, and a container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from support import boxes, localboxes
from traceproof.replay.runner import Overlay, Runner
from traceproof.replay.runs import Conditions, Run, Session, SessionResult
from traceproof.replay.testcommand import TestCommand
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image, Sandbox

TESTS = """
import os, time, unittest
class TestA(unittest.TestCase):
    def test_1_leaves_a_file(self):
        with open("left", "x"): pass
        with open(os.path.join(os.environ.get("TMPDIR", "/tmp"), "left"), "x"): pass
    def test_2_shows(self): self.fail([os.environ.get("TZ"), int(time.time())])
"""
FILES = {
    "test_a.py": TESTS,
    "old.xml": "<testsuite><testcase name='old'/></testsuite>",
    "sub/test_b.py": TESTS.replace("TestA", "TestB"),
}
UNITTEST = TestCommand(argv=("python3", "-m", "unittest", "-q"))
TWICE = "test_a.TestA.test_1_leaves_a_file"
REPORT = """<testsuite><testcase name="one"/></testsuite>"""


def tar(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name + ".py")
            member.size, member.mode = len(text), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def local() -> Iterator[Image]:
    with localboxes.image(FILES, python=True) as image:
        yield image


@pytest.fixture(scope="module")
def in_docker(engine: DockerSandbox, base: str) -> Iterator[Image]:
    with boxes.image(engine.client, base, FILES) as image:
        yield image


def run(
    sandbox: Sandbox,
    image: Image,
    *sessions: Session,
    command: TestCommand = UNITTEST,
    setup: dict[str, Any] | None = None,
    **around: Any,
) -> tuple[SessionResult, ...]:
    runner = Runner(sandbox, {"final": image}, command, **{"seconds": 60.0, **(setup or {})})
    asked = Run(
        id="final/same/1",
        tree="final",
        axis="same",
        conditions=Conditions(**around),
        sessions=sessions or (Session(seed=1),),
    )
    result = runner.run(asked)
    assert (result.run, result.failure) == ("final/same/1", "")
    assert len(result.sessions) == len(asked.sessions)
    return result.sessions


def outcomes(session: SessionResult) -> dict[str, str]:
    return {case.test.rpartition(".")[2]: case.outcome for case in session.cases}


def fresh(sandbox: Sandbox, image: Image) -> None:
    """Trap 6: several polluters leave files, so every session has a fresh tree."""
    sessions = run(sandbox, image, Session(seed=1), Session(seed=2, twice="each"))

    one, two = sessions
    assert (one.problem, two.problem) == ("", "")
    assert outcomes(one)["test_1_leaves_a_file"] == "passed"
    told = [(case.repeat, case.outcome) for case in two.cases if "leaves" in case.test]
    assert told == [(0, "passed"), (1, "failed")]


def test_trap_6_every_session_has_a_fresh_tree(local: Image) -> None:
    fresh(LocalSandbox(), local)


@pytest.mark.engine
def test_trap_6_every_session_has_a_fresh_tree_in_a_container(
    engine: Sandbox, in_docker: Image
) -> None:
    fresh(engine, in_docker)


@pytest.mark.engine
def test_conditions_reach_the_tests_in_a_container(engine: Sandbox, in_docker: Image) -> None:
    (session,) = run(engine, in_docker, timezone="Asia/Tokyo", clock=86400.0, load=1)
    (plain,) = run(engine, in_docker)

    (zone, ahead), (none, now) = (
        next(case for case in one.cases if "shows" in case.test).message[17:-1].split(", ")
        for one in (session, plain)
    )
    assert (zone, none) == ("'Asia/Tokyo'", "None")
    assert abs(int(ahead) - int(now) - 86400) < 60


HOSTILE = """
import os, pathlib, tempfile, unittest
class TestH(unittest.TestCase):
    def test_h(self):
        files = list(pathlib.Path(tempfile.gettempdir()).rglob("*/inside/*.py"))
        self.assertTrue(files)
        for file in files:
            file.write_text("import os; os._exit(0)")
    def test_i(self): self.fail()
"""


def test_a_test_that_overwrites_what_is_beside_it_changes_nothing(local: Image) -> None:
    setup = {"undone": {"final": Overlay(tar(test_a=HOSTILE))}}

    two = (Session(seed=1), Session(seed=2))
    sessions = run(LocalSandbox(), local, *two, setup=setup, undone_tests=True)

    for one in sessions:
        assert (outcomes(one), one.problem) == ({"test_h": "passed", "test_i": "failed"}, "")


def test_what_was_made_of_tests_is_undone_before_each_session_that_wants_it(local: Image) -> None:
    other = tar(
        test_a="import unittest\nclass A(unittest.TestCase):\n    def test_other(self): pass"
    )
    setup = {"undone": {"final": Overlay(other, ("test_a.py", "sub"))}}
    two = (Session(seed=1), Session(seed=2))

    sessions = run(LocalSandbox(), local, *two, setup=setup, undone_tests=True)
    as_they_are = run(LocalSandbox(), local, setup=setup)

    assert [outcomes(one) for one in sessions] == [{"test_other": "passed"}] * 2
    assert "test_other" not in outcomes(as_they_are[0])


def test_a_command_has_a_folder_and_an_environment(local: Image) -> None:
    command = TestCommand(
        argv=("sh", "-c", "python3 -m unittest -q"), folder="sub", environment={"TZ": "UTC"}
    )

    (session,) = run(LocalSandbox(), local, command=command)

    shown = next(case for case in session.cases if "shows" in case.test)
    assert shown.test == "test_b.TestB.test_2_shows"
    assert shown.message.startswith("AssertionError: ['UTC', ")


def test_a_session_that_takes_too_long_ends_its_box_and_the_next_has_another(local: Image) -> None:
    command = TestCommand(argv=("sh", "-c", "trap '' TERM; while :; do sleep 1; done"))

    sessions = run(
        LocalSandbox(), local, Session(seed=1), Session(seed=2), command=command,
        setup={"seconds": 0.5},
    )  # fmt: skip

    assert [one.problem for one in sessions] == ["timed out after 0.5 s"] * 2


def test_a_command_that_is_not_there_is_a_problem(local: Image) -> None:
    (session,) = run(LocalSandbox(), local, command=TestCommand(argv=("no-such-command",)))

    assert session.problem == "command not found: no-such-command"
    assert (session.cases, session.complete) == ((), False)


@pytest.mark.parametrize(
    ("script", "source", "problem"),
    [
        (f"echo '{REPORT}' >out.xml", "junit", ""),
        ("true", "exit code", "the report out.xml cannot be read: "),
        ("echo '<a/>' >out.xml", "exit code", "the report out.xml cannot be read: "),
    ],
)
def test_another_runner_is_read_by_its_report(
    local: Image, script: str, source: str, problem: str
) -> None:
    command = TestCommand(argv=("sh", "-c", script))

    (session,) = run(LocalSandbox(), local, command=command, setup={"report": "out.xml"})

    assert (session.source, [case.test for case in session.cases]) == (
        source, ["one"] if source == "junit" else [],
    )  # fmt: skip
    assert session.problem.startswith(problem)
    assert bool(session.problem) is bool(problem)


def test_a_report_that_was_there_before_is_not_the_runners(local: Image) -> None:
    """An agent that commits one would be judged by it."""
    setup = {"report": "old.xml"}
    quiet, fails = (TestCommand(argv=("sh", "-c", text)) for text in ("true", "exit 3"))

    (session,) = run(LocalSandbox(), local, command=quiet, setup=setup)
    assert session.problem.startswith("the report old.xml cannot be read: ")

    (session,) = run(LocalSandbox(), local, command=fails, setup=setup)
    assert [(case.test, case.outcome) for case in session.cases] == [("exit 3", "failed")]
    assert (session.source, session.problem) == ("exit code", "")


def test_a_report_without_a_failure_of_a_command_that_fails(local: Image) -> None:
    command = TestCommand(argv=("sh", "-c", f"echo '{REPORT}' >out.xml; exit 2"))

    (session,) = run(LocalSandbox(), local, command=command, setup={"report": "out.xml"})

    assert (session.source, session.beyond) == ("junit", True)


def test_a_test_that_a_suite_names_twice_counts_whole(local: Image) -> None:
    command = TestCommand(argv=("python", "-m", "unittest", "-q", *[TWICE] * 2))

    (session,) = run(LocalSandbox(), local, command=command)

    assert [(case.repeat, case.outcome) for case in session.cases] == [(0, "passed"), (0, "failed")]


def test_another_runner_without_a_report_is_its_exit_code(local: Image) -> None:
    (session,) = run(LocalSandbox(), local, command=TestCommand(argv=("sh", "-c", "exit 3")))

    assert [(case.test, case.outcome) for case in session.cases] == [("exit 3", "failed")]
    assert (session.source, session.exit_code) == ("exit code", 3)
