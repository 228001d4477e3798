from __future__ import annotations

import pytest

from traceproof.recorder.testruns.runners import Runner, find
from traceproof.recorder.testruns.words import parse


def runners(script: str) -> list[Runner]:
    return find(parse(script))


@pytest.mark.parametrize(
    ("script", "label"),
    [
        ("cd x && pytest -q 2>&1 | tail", "pytest"),
        ("FOO=1 python -m pytest tests/", "pytest"),
        ("python3 -m unittest discover -v", "unittest"),
        ("bash -lc 'cd a && python -m pytest'", "pytest"),
        ("timeout 60 bash -c 'pytest'", "pytest"),
        ("source /tmp/s && eval 'pytest -x' < /dev/null && pwd -P >| /tmp/cwd", "pytest"),
        ("shopt -u promptvars; ( trap 'x' EXIT; pytest ); y=$?", "pytest"),
        ("uv run pytest", "pytest"),
        ("OUT=$(pytest -q); echo $OUT", "pytest"),
        ("for i in 1 2 3; do pytest -q; done", "pytest"),
        ("python manage.py test app", "django test"),
        ("./manage.py test", "django test"),
        ("hatch run test:pytest", "pytest"),
        ("hatch test", "hatch test"),
        ("npm test -- --watch=false", "npm test"),
        ("npm run test:unit", "npm run test:unit"),
        ("yarn jest a", "jest"),
        ("npx vitest run", "vitest"),
        ("./node_modules/.bin/mocha -R dot", "mocha"),
        ("node --test", "node --test"),
        ("node node_modules/jest/bin/jest.js", "jest"),
        ("go test ./...", "go test"),
        ("cargo +nightly test --all", "cargo test"),
        ("cargo nextest run", "cargo nextest"),
        ("./mvnw -q test", "mvn test"),
        ("./gradlew :app:testDebugUnitTest", "gradle test"),
        ("ctest --test-dir build", "ctest"),
        ("cmake --build b && cd b && ctest -j4", "ctest"),
        ("bundle exec rspec", "rspec"),
        ("dotnet test", "dotnet test"),
    ],
)
def test_runners_are_found(script: str, label: str) -> None:
    (runner,) = runners(script)

    assert (runner.label, runner.certain) == (label, True)


@pytest.mark.parametrize(
    "script",
    ["make test", "just check", "nox -s tests", "tox", "./run_tests.sh", "bash ci/test.sh",
     "python tests/test_a.py", "mvn -B package", "gradle build", "invoke unit-tests"],
)  # fmt: skip
def test_what_may_run_tests_is_a_maybe(script: str) -> None:
    (runner,) = runners(script)

    assert not runner.certain


@pytest.mark.parametrize(
    "script",
    [
        "cat pytest.ini",
        "grep -rn pytest .",
        "echo go test",
        "echo 'pytest -q'",
        "pip install pytest",
        "uv add --dev pytest",
        "vim test_a.py",
        "which pytest",
        "pytest --version",
        "pytest --collect-only -q",
        "python -m pytest --help",
        "python -c 'import pytest'",
        "cat <<E\npytest\nE",
        "# pytest",
        "test -f pytest.ini",
        "[ -d tests ] && ls tests",
        "go build ./... && go vet ./...",
        "go test -c",
        "cargo test --no-run",
        "npm install jest",
        "npm run build",
        "git commit -m 'go test'",
        "git log --grep pytest",
        "make",
        "make latest",
        "mvn -DskipTests package",
        "ctest -N",
        "rm -rf tests",
        "ls node_modules/.bin/jest",
        "python script.py pytest",
    ],
)
def test_what_only_speaks_of_tests_is_none(script: str) -> None:
    assert runners(script) == []


@pytest.mark.parametrize(
    ("script", "python"),
    [("pytest", True), ("nox", True), ("make test", True), ("tox", False), ("uv run tox", False),
     ("docker exec a pytest", False), ("docker exec a bash -c pytest", False),
     ("go test", False), ("npm test", False)],
)  # fmt: skip
def test_who_may_run_pytest_in_this_environment(script: str, python: bool) -> None:
    (runner,) = runners(script)

    assert runner.python is python


def test_several_are_found_in_order() -> None:
    assert [one.label for one in runners("pytest a; go test ./... && npx jest")] == [
        "pytest",
        "go test",
        "jest",
    ]
