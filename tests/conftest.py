"""What every test can use: the real agents and an environment for them; CI leaves nothing out.

The agents are installed into ``.agents`` by ``make test`` (scripts/agents). A test that needs one
asks for the fixture and carries ``@pytest.mark.agents``; without the agent it fails. Tests that
start containers ask for ``engine`` and carry ``@pytest.mark.engine``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from traceproof.sandbox.docker.sandbox import DockerSandbox
    from traceproof.sandbox.protocol import Image

# A slow machine is not a wrong answer: time is bounded by pytest-timeout alone.
hypothesis.settings.register_profile("traceproof", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("traceproof")

# A shell ignores two for what it starts in the background, `nohup` a third: children inherit it.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parent.parent
AGENTS = ROOT / ".agents" / "bin"
LEFT_OUT = ("skipped", "xfailed", "xpassed", "deselected")

# tests/support is imported as `support`. With its parent on the path, the folders of the tests of
# `proxy`, `recorder` and `traceproof` would go by these names.
pytest.register_assert_rewrite("support")
_support = ModuleSpec("support", None, is_package=True)
_support.submodule_search_locations = [str(ROOT / "tests" / "support")]
sys.modules["support"] = module_from_spec(_support)

AgentEnv = Callable[[Path], dict[str, str]]


def _agent(name: str) -> Path:
    path = AGENTS / name
    if not os.access(path, os.X_OK):
        pytest.fail(f"{name} is not installed here: run scripts/agents (make test does)", False)
    return path


@pytest.fixture(scope="session")
def agent() -> Callable[[str], Path]:
    """Give a function from an agent's command to the pinned agent."""
    return _agent


@pytest.fixture(scope="session")
def claude() -> Path:
    """The pinned Claude Code."""
    return _agent("claude")


@pytest.fixture(scope="session")
def aider() -> Path:
    """The pinned Aider."""
    return _agent("aider")


@pytest.fixture(scope="session")
def agent_env() -> AgentEnv:
    """Give a function from a folder to the whole environment of an agent that lives in it.

    Nothing of the caller's environment is in it, no key, no configuration, no proxy; HOME and
    TMPDIR are fresh folders, the keys are fake.
    """

    def environment(folder: Path) -> dict[str, str]:
        home, temporary = folder / "home", folder / "tmp"
        home.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(exist_ok=True)
        return {
            "HOME": str(home),
            "TMPDIR": str(temporary),
            # The test's own Python first, so that `python3` and `traceproof` are known ones; then
            # the pinned Node.
            "PATH": f"{Path(sys.executable).parent}:{AGENTS}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "SHELL": "/bin/bash",
            # Without it Debian's bash thinks that it runs under sshd and ignores BASH_ENV.
            "SHLVL": "1",
            "ANTHROPIC_API_KEY": "sk-ant-api03-fake-key-of-the-tests-0123456789",
            "OPENAI_API_KEY": "sk-proj-fake-key-of-the-tests-0123456789",
            "DISABLE_AUTOUPDATER": "1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }

    return environment


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerSandbox]:
    """The Docker engine that answers, as a sandbox; for tests marked `engine`."""
    from traceproof.sandbox.docker.sandbox import DockerSandbox  # noqa: PLC0415 - an extra

    try:
        sandbox = DockerSandbox()
    except OSError as error:
        pytest.fail(f"{error}", False)
    yield sandbox
    sandbox.client.close()


@pytest.fixture(scope="session")
def base(engine: DockerSandbox) -> str:
    """The id of the base image of Debian packages."""
    from support.boxes import debian  # noqa: PLC0415 - it imports the extra

    found = debian(engine.client)
    if not found:
        pytest.fail("there is no base image: run `traceproof sandbox base` (make test does)", False)
    return found


@pytest.fixture(scope="session")
def box_image(engine: DockerSandbox, base: str) -> Iterator[Image]:
    """An image with a small workspace (support.boxes), for boxes to be started from."""
    from support.boxes import image  # noqa: PLC0415 - it imports the extra

    with image(engine.client, base) as made:
        yield made


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever asks for the engine: `-m 'not engine'` is how the rest is run without one."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")


def _left_out(config: pytest.Config) -> dict[str, int]:
    stats = config.pluginmanager.getplugin("terminalreporter").stats
    return {kind: len(stats[kind]) for kind in LEFT_OUT if stats.get(kind)}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, fail a session that left anything out."""
    passed = session.exitstatus == pytest.ExitCode.OK
    if os.environ.get("CI") and passed and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in CI why a session without a failed test fails."""
    left_out = _left_out(terminalreporter.config)
    if os.environ.get("CI") and left_out:
        counts = ", ".join(f"{count} {kind}" for kind, count in left_out.items())
        terminalreporter.write_line(
            f"CI leaves nothing out, and this session did: {counts}", red=True
        )
