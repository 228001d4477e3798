from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from traceproof.commands.options import locate, print_json


def test_the_option_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACEPROOF_STORE", "of-the-environment")

    assert locate(Path("of-the-option")).path == tmp_path / "of-the-option"
    assert locate(None).path == tmp_path / "of-the-environment"


def test_json_is_one_document_in_utf_8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json({"said": "grüß dich", "path": Path("/x")} | {"path": "/x"})

    out, err = capfdbinary.readouterr()
    assert json.loads(out.decode()) == {"said": "grüß dich", "path": "/x"}
    assert out.endswith(b"}\n")
    assert err == b""


def test_json_of_a_path_that_is_no_unicode_is_json_still(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    print_json({"path": os.fsdecode(b"/caf\xe9")})

    assert json.loads(capfdbinary.readouterr().out) == {"path": "/caf?"}
