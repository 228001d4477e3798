"""Which commands of a script run tests, and with which tool.

By words alone: what a Makefile or a script file does is not known, so such a command is a *maybe*:
only its output or the tool itself can tell. Reading a file called pytest.ini runs no test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from traceproof.recorder.testruns.words import Command, Script, parse
from traceproof.recorder.testruns.wrappers import unwrap

PYTHON = ("pytest", "unittest")
NODE = ("jest", "vitest", "mocha", "node")
ALL = (*PYTHON, *NODE, "go", "cargo", "nextest", "ctest", "maven", "gradle")

_DEPTH = 6
_TESTING = re.compile(
    r"(?:^|[:_./-])(?:unit|e2e|integration)?(?:tests?|check|spec|ci)(?:$|[:_./-])"
)
_TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|(?:run_?)?tests?|.*run_?tests?)\.(?:py|sh|bash|js)")
_NOTHING_RUN = frozenset(
    (
        "--version", "--help", "-h", "-V", "--collect-only", "--co", "--fixtures", "--markers",
        "--listTests", "--showConfig", "--show-config", "--list", "--no-run", "-N", "--show-only",
        "-DskipTests", "-Dmaven.test.skip", "-DskipTests=true", "-Dmaven.test.skip=true",
        "--dry-run", "--setup-plan", "--list-tests", "-list", "--cache-show", "--notest",
    )
)  # fmt: skip


@dataclass(eq=False)
class Runner:
    """A command that runs tests, or may.

    `label` is what to call it (`npm test`), `frameworks` whose output may be expected. `certain`
    is False where only the output can tell whether it runs tests at all. `python` says that pytest
    may be run by it in this environment.
    """

    label: str
    frameworks: tuple[str, ...]
    command: Command
    certain: bool = True
    python: bool = False


def find(script: Script) -> list[Runner]:
    """Return a script's runners in order; scripts in strings (`bash -c '…'`) become groups."""
    return list(_find(script, 0, here=True))


def _find(script: Script, depth: int, *, here: bool) -> Iterator[Runner]:
    if depth > _DEPTH:
        return
    for command in list(script.commands()):
        if not command.words:
            continue
        plain = unwrap(command.words)
        if plain.script is not None:
            command.inner = parse(plain.script)
            yield from _find(command.inner, depth + 1, here=here and plain.here)
        elif plain.words and (runner := _runner(plain.words, command)):
            runner.python = runner.python and here and plain.here
            yield runner


def _runner(words: list[str], command: Command) -> Runner | None:
    name, rest = words[0], words[1:]
    if name == "-m":
        return _module(rest, command)
    if _NOTHING_RUN & set(rest):
        return None
    if name in _PLAIN:
        label, frameworks, python = _PLAIN[name]
        return Runner(label, frameworks, command, python=python)
    if found := _BY_NAME.get(name):
        return found(words, command)
    if name.endswith((".js", ".mjs", ".cmd")):
        return _runner([name.rpartition(".")[0], *rest], command)
    if _TEST_FILE.fullmatch(name):
        return Runner(name, ALL, command, certain=False, python=True)
    return None


def _module(rest: list[str], command: Command) -> Runner | None:
    name = rest[0] if rest else ""
    if name == "unittest" and not _NOTHING_RUN & set(rest):
        return Runner("unittest", ("unittest",), command)
    if name in ("nose", "nose2", "twisted.trial", "testtools.run", "stestr"):
        return Runner(name, ("unittest",), command)
    if name == "django" and "test" in rest[1:2]:
        return Runner("django test", ("unittest",), command)
    if name in ("tests", "test") or name.endswith((".tests", ".test")):
        return Runner(name, PYTHON, command, certain=False, python=True)
    return _runner(rest, command) if name and name != "-m" else None


def _python_file(words: list[str], command: Command) -> Runner | None:
    rest = words[1:]
    path = PurePath(rest[0]) if rest else PurePath()
    if path.name in ("manage.py", "django-admin") and rest[1:2] == ["test"]:
        return Runner("django test", PYTHON, command, python=True)
    if path.name == "setup.py" and {"test", "pytest"} & set(rest):
        return Runner("setup.py test", PYTHON, command, python=True)
    if path.name in ("pytest", "py.test"):
        return Runner("pytest", ("pytest",), command, python=True)
    if _TEST_FILE.fullmatch(path.name) or "tests" in path.parts[:-1]:
        return Runner(path.name, PYTHON, command, certain=False, python=True)
    return None


def _words_of(rest: list[str]) -> list[str]:
    """Return the operands, as far as they can be told from options without knowing these."""
    return [word for word in rest if not word.startswith(("-", "+")) and "=" not in word]


def _hatch(words: list[str], command: Command) -> Runner | None:
    operands = _words_of(words[1:])
    if operands[:1] == ["test"]:
        return Runner("hatch test", ("pytest",), command, python=True)
    if operands[:1] == ["run"] and operands[1:]:
        script = operands[1]
        plain = unwrap([script.rpartition(":")[2], *words[words.index(script) + 1 :]])
        if plain.words and (found := _runner(plain.words, command)):
            return found
        if _TESTING.search(script) or script.startswith(("cov", "all:")):
            return Runner("hatch run", PYTHON, command, certain=False, python=True)
    return None


def _sessions(words: list[str], command: Command) -> Runner | None:
    """Read tox and nox: what they run is not known; tox keeps the environment from its commands."""
    if {"-l", "list", "config", "--listenvs"} & set(words):
        return None
    return Runner(words[0], PYTHON, command, certain=False, python=words[0] != "tox")


def _npm(words: list[str], command: Command) -> Runner | None:
    name, rest = words[0], words[1:]
    operands = _words_of(rest)
    if operands[:1] in (["test"], ["t"], ["tst"]):
        return Runner(f"{name} test", () if name == "bun" else NODE, command)
    if operands[:1] in (["run"], ["run-script"]) and operands[1:]:
        return _npm_script(operands[1], rest, command)
    if operands and name in ("yarn", "pnpm", "bun"):  # they do without `run`, too
        return _npm_script(operands[0], rest, command)
    return None


def _npm_script(script: str, rest: list[str], command: Command) -> Runner | None:
    if script in _BY_NAME or script in _PLAIN:
        return _runner([script, *rest[rest.index(script) + 1 :]], command)
    if re.fullmatch(r"tests?(?:[:_-].*)?", script):
        return Runner(f"npm run {script}", NODE, command)
    if _TESTING.search(script):
        return Runner(f"npm run {script}", NODE, command, certain=False)
    return None


def _node(words: list[str], command: Command) -> Runner | None:
    rest = words[1:]
    if "--test" in rest:
        return Runner("node --test", ("node",), command)
    operands = _words_of(rest)
    name = PurePath(operands[0]).name if operands else ""
    if name.removesuffix(".js").removesuffix(".mjs") in ("jest", "vitest", "mocha"):
        return _runner([name, *rest], command)
    if _TEST_FILE.fullmatch(name):
        return Runner(name, NODE, command, certain=False)
    return None


def _go(words: list[str], command: Command) -> Runner | None:
    if words[1:2] != ["test"] or "-c" in words:
        return None
    return Runner("go test", ("go",), command)


def _cargo(words: list[str], command: Command) -> Runner | None:
    operands = _words_of(words[1:])
    if operands[:1] in (["test"], ["t"]):
        return Runner("cargo test", ("cargo",), command)
    if operands[:1] == ["nextest"] and operands[1:2] in (["run"], ["r"]):
        return Runner("cargo nextest", ("nextest",), command)
    if operands[:1] in (["llvm-cov"], ["tarpaulin"]):
        return Runner(f"cargo {operands[0]}", ("cargo", "nextest"), command)
    return None


def _maven(words: list[str], command: Command) -> Runner | None:
    goals = set(_words_of(words[1:]))
    if goals & {"test", "verify", "integration-test", "surefire:test", "failsafe:integration-test"}:
        return Runner("mvn test", ("maven",), command)
    if goals & {"install", "package", "deploy"}:
        return Runner("mvn", ("maven",), command, certain=False)
    return None


def _gradle(words: list[str], command: Command) -> Runner | None:
    tasks = [word.rpartition(":")[2] for word in _words_of(words[1:])]
    if any(re.fullmatch(r"\w*[tT]est(?:\w*UnitTest)?", task) for task in tasks):
        return Runner("gradle test", ("gradle",), command)
    if {"check", "build"} & set(tasks):
        return Runner("gradle", ("gradle",), command, certain=False)
    return None


def _make(words: list[str], command: Command) -> Runner | None:
    """Read make and its like: a target that is called after tests may run some."""
    for target in _words_of(words[1:]):
        if _TESTING.search(target):
            return Runner(f"{words[0]} {target}", ALL, command, certain=False, python=True)
    return None


def _subcommand(label: str, *subs: str) -> Callable[[list[str], Command], Runner | None]:
    """Make a reader for a tool that runs tests under one name and whose output is not read."""

    def read(words: list[str], command: Command) -> Runner | None:
        operands = _words_of(words[1:])
        return Runner(label, (), command) if operands and operands[0] in subs else None

    return read


_PLAIN: dict[str, tuple[str, tuple[str, ...], bool]] = {
    **dict.fromkeys(("pytest", "py.test", "pytest-3"), ("pytest", ("pytest",), True)),
    **{name: (name, (name,), False) for name in ("jest", "vitest", "mocha", "ctest")},
    "_mocha": ("mocha", ("mocha",), False),
    "gotestsum": ("gotestsum", ("go",), False),
    "cargo-nextest": ("cargo nextest", ("nextest",), False),
    "trial": ("trial", ("unittest",), False),
    "nosetests": ("nosetests", ("unittest",), False),
    "stestr": ("stestr", ("unittest",), False),
    **{name: (name, (), False) for name in ("rspec", "phpunit", "bats", "ava", "tap", "prove")},
}  # fmt: skip

_BY_NAME: dict[str, Callable[[list[str], Command], Runner | None]] = {
    "python": _python_file,
    **dict.fromkeys(
        ("manage.py", "django-admin"), lambda words, command: _python_file(["", *words], command)
    ),
    "hatch": _hatch,
    "tox": _sessions,
    "nox": _sessions,
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun"), _npm),
    **dict.fromkeys(("node", "tsx", "ts-node", "c8", "nyc"), _node),
    "go": _go,
    "cargo": _cargo,
    **dict.fromkeys(("mvn", "mvnw", "mvnd"), _maven),
    **dict.fromkeys(("gradle", "gradlew"), _gradle),
    **dict.fromkeys(("make", "gmake", "just", "task", "invoke", "inv", "ninja", "rake"), _make),
    "react-scripts": lambda words, command: (
        Runner("react-scripts test", ("jest",), command) if words[1:2] == ["test"] else None
    ),
    "dotnet": _subcommand("dotnet test", "test"),
    "deno": _subcommand("deno test", "test"),
    "mix": _subcommand("mix test", "test"),
    "swift": _subcommand("swift test", "test"),
    "meson": _subcommand("meson test", "test"),
    "playwright": _subcommand("playwright test", "test"),
    "cypress": _subcommand("cypress run", "run"),
}
