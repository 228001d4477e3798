from __future__ import annotations

import tomllib

import pytest

from traceproof.sandbox.environments.poetry import requirements, specifier


@pytest.mark.parametrize(
    ("said", "standard"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^1", ">=1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        ("*", ""),
        ("1.2.3", "==1.2.3"),
        (">=1.2,<2.0", ">=1.2,<2.0"),
        ("^7.1, !=7.1.3", ">=7.1,<8,!=7.1.3"),
    ],
)
def test_a_constraint_of_poetry_becomes_a_standard_one(said: str, standard: str) -> None:
    assert specifier(said) == standard


def test_groups_for_tests_and_developing_are_requirements() -> None:
    pyproject = tomllib.loads("""
        [tool.poetry.dependencies]
        python = "^3.8"
        requests = "*"
        [tool.poetry.dev-dependencies]
        pytest = "^7.1"
        [tool.poetry.group.test.dependencies]
        coverage = {version = "~6.4", extras = ["toml"]}
        mock = {version = "^4.0", python = "<3.12"}
        tool = {git = "https://example.test/tool", tag = "v1"}
        beside = {path = "../beside"}
        [tool.poetry.group.docs.dependencies]
        sphinx = "^5"
    """)

    assert requirements(pyproject) == [
        "coverage[toml]>=6.4,<6.5",
        "mock>=4.0,<5 ; python_version < '3.12'",
        "tool @ git+https://example.test/tool@v1",
        "pytest>=7.1,<8",
    ]
