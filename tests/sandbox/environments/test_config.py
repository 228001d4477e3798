from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.sandbox.environments.config import Config, PythonConfig, parse, read


def test_everything_that_can_be_said() -> None:
    said = parse(
        """
        image = "python@sha256:00"
        system = ["apt-get install -y libxml2"]
        setup = ["pip install -e ."]
        test = "pytest -q"
        report = "build/junit.xml"
        date = 2024-05-01
        [env]
        LANG = "C.UTF-8"
        [python]
        extras = ["test"]
        groups = ["dev"]
        files = ["requirements/test.txt"]
        requirements = ["freezegun"]
        install = true
        version = ">=3.9"
        """,
        "traceproof.toml",
    )

    assert said == Config(
        image="python@sha256:00",
        system=("apt-get install -y libxml2",),
        setup=("pip install -e .",),
        test="pytest -q",
        report="build/junit.xml",
        date="2024-05-01",
        env={"LANG": "C.UTF-8"},
        python=PythonConfig(
            extras=("test",),
            groups=("dev",),
            files=("requirements/test.txt",),
            requirements=("freezegun",),
            install=True,
            version=">=3.9",
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image = ", "traceproof.toml is no TOML"),
        ("imagee = 'x'", "unknown field `imagee`"),
        ("setup = 'make'", r"Expected `array`, got `str` - at `\$.setup`"),
        ("[env]\nA = 1", r"Expected `str`, got `int` - at `\$.env"),
        ("image = 'x'\ndockerfile = 'y'", "one of them is enough"),
        ("date = 'soon'", "date 'soon': a day like 2020-01-31, or in ISO 8601"),
    ],
)
def test_a_mistake_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse(text, "traceproof.toml")

    assert "\n" not in str(caught.value)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert read(tmp_path / "traceproof.toml", needed=False) == Config()
    with pytest.raises(FileNotFoundError, match="there is no configuration"):
        read(tmp_path / "traceproof.toml", needed=True)
