from __future__ import annotations

import pytest

from traceproof.recorder.testruns.wrappers import unwrap


@pytest.mark.parametrize(
    ("command", "inner"),
    [
        ("pytest -q", "pytest -q"),
        ("/usr/bin/pytest -q", "pytest -q"),
        ("env -u X A=1 pytest", "pytest"),
        ("timeout -k 5 60 nice -n 5 pytest", "pytest"),
        ("python3.12 -X dev -m pytest -q", "-m pytest -q"),
        ("python -mpytest", "-m pytest"),
        ("python -m coverage run --source x -m pytest", "-m pytest"),
        ("coverage run -m unittest", "-m unittest"),
        ("python tests/test_a.py -v", "python tests/test_a.py -v"),
        ("python -c pytest", ""),
        ("uv run --with x pytest", "pytest"),
        ("uv run -m pytest", "-m pytest"),
        ("uv run python -m pytest", "-m pytest"),
        ("uvx --from tox tox", "tox"),
        ("poetry run pytest", "pytest"),
        ("conda run -n env pytest", "pytest"),
        ("npx --yes jest a", "jest a"),
        ("npm exec -- jest", "jest"),
        ("pnpm --filter app exec vitest", "vitest"),
        ("sudo -u x pytest", "pytest"),
        ("bash scripts/test.sh -v", "test.sh -v"),
        ("uv pip install pytest", "uv pip install pytest"),
        ("docker compose exec -T app pytest", "pytest"),
        ("timeout", ""),
        ("env", ""),
    ],
)
def test_wrappers_come_off(command: str, inner: str) -> None:
    assert unwrap(command.split()).words == inner.split()


@pytest.mark.parametrize(
    "words",
    [
        ["bash", "-lc", "pytest -q"],
        ["sh", "-c", "pytest -q"],
        ["/bin/bash", "-o", "pipefail", "-ec", "pytest -q", "name", "arg"],
        ["timeout", "9", "bash", "-c", "pytest -q"],
        ["eval", "pytest", "-q"],
    ],
)
def test_a_shells_script_is_handed_out(words: list[str]) -> None:
    assert unwrap(words).script == "pytest -q"


def test_another_environment_is_told() -> None:
    assert not unwrap(["docker", "exec", "app", "pytest"]).here
    assert not unwrap(["sudo", "bash", "-c", "pytest"]).here
    assert unwrap(["env", "pytest"]).here


def test_wrappers_without_end_end() -> None:
    assert unwrap(["env"] * 1000) is not None
