from __future__ import annotations

import pytest

from traceproof.replay.testcommand import TestCommand, from_option, from_script

ROOT = "/home/ada/project"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytest -q", TestCommand(argv=("pytest", "-q"))),
        ("python -m pytest 'a b'", TestCommand(argv=("python", "-m", "pytest", "a b"))),
        ("pytest t.py::test[1]", TestCommand(argv=("pytest", "t.py::test[1]"))),
        ("A=1 B='2 3' pytest", TestCommand(argv=("pytest",), environment={"A": "1", "B": "2 3"})),
        ("cd sub/ && pytest -x", TestCommand(argv=("pytest", "-x"), folder="sub")),
        ("cd . && pytest", TestCommand(argv=("pytest",))),
        ("cd ../x && pytest", TestCommand(argv=("sh", "-c", "cd ../x && pytest"))),
        ("make x; pytest", TestCommand(argv=("sh", "-c", "make x; pytest"))),
        ("pytest tests/*.py", TestCommand(argv=("sh", "-c", "pytest tests/*.py"))),
        ("pytest $WHAT", TestCommand(argv=("sh", "-c", "pytest $WHAT"))),
    ],
)
def test_an_option_is_taken_as_it_stands(text: str, expected: TestCommand) -> None:
    assert from_option(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "A=1", "pytest 'open"])
def test_what_is_no_command(text: str) -> None:
    with pytest.raises(ValueError, match="the test command"):
        from_option(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytest -x -q 2>&1 | tail -5", "pytest -q"),
        ("python3 -m unittest -q -f", "python -m unittest -q"),
        (
            f"cd {ROOT}/sub && A=1 timeout 60 .venv/bin/python -m pytest",
            "cd sub && A=1 python -m pytest",
        ),
        ("uv run --with x pytest -n 4 --maxfail 2 --lf -xvs t.py", "pytest -vs t.py"),
        (f"/opt/venv/bin/pytest {ROOT}/tests/test_a.py", "pytest tests/test_a.py"),
        (f"cd sub && pytest {ROOT}/tests/test_a.py", "cd sub && pytest ../tests/test_a.py"),
        ("bash -lc 'pytest -k one'", "pytest -k one"),
        ("git status; make test", "make test"),
        ("pytest -x", "pytest"),
    ],
)  # fmt: skip
def test_a_script_is_stripped_of_what_is_around_the_command(text: str, expected: str) -> None:
    found = from_script(text, ROOT, ROOT)

    assert str(found) == expected


@pytest.mark.parametrize("text", ["ls", "cat test_a.py", "cd /elsewhere && pytest"])
def test_a_script_without_tests_of_the_workspace(text: str) -> None:
    assert from_script(text, ROOT, ROOT) is None


@pytest.mark.parametrize("text", ["cd sub && A='1 2' pytest -q", "pytest; true", "pytest 'a b'"])
def test_written_and_read_again_it_is_the_same(text: str) -> None:
    assert from_option(str(from_option(text))) == from_option(text)


@pytest.mark.parametrize(
    ("text", "runner"),
    [
        ("pytest -q", "pytest"),
        ("/opt/venv/bin/py.test", "pytest"),
        ("python3.11 -m pytest -q", "pytest"),
        ("python -m unittest -q", "unittest"),
        ("cd src && A=1 python -m pytest", "pytest"),
        ("pytest tests/*.py || true", "pytest"),
        ("make test", ""),
        ("python -m nose pytest", ""),
        ("sh check.sh pytest", ""),
    ],
)
def test_its_words_say_which_runner_it_is(text: str, runner: str) -> None:
    assert from_option(text).runner == runner
