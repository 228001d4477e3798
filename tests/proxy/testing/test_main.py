from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from traceproof.proxy.testing.__main__ import load, main

SCRIPT = """
[[scenes]]
name = "main"
when = { user = "hi" }

[[scenes.turns]]
parts = [{ type = "say", text = "hello" }]
"""
ASKED = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'


def test_a_script_is_served_until_interrupted(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "traceproof.proxy.testing", str(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as served:
        assert served.stdout
        assert served.stderr
        url = served.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/v1/messages", ASKED, timeout=10) as answer:
            assert b'"text":"hello"' in answer.read()
        served.send_signal(signal.SIGINT)
        lines = served.stderr.read()

    assert served.returncode == 0
    assert lines.startswith("POST /v1/messages  200  main #0  ")


def test_a_script_may_be_json(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"scenes": []}')

    assert load(script).scenes == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("scenes = [", "script.toml: "),
        ("scenes = 1", "Expected `array`, got `int` - at `$.scenes`"),
        ("[[scenes]]\nturn = []", "unknown field `turn`"),
    ],
)
def test_a_wrong_script_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    script = tmp_path / "script.toml"
    script.write_text(text)

    assert main([str(script)]) == 2
    assert complaint in capsys.readouterr().err


def test_a_missing_script_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.toml")]) == 2
    assert "No such file" in capsys.readouterr().err
