from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from traceproof.replay.verdict import VERSION, Verdict

ROOT = Path(__file__).resolve().parents[2]


def test_the_schema_and_the_page_say_what_the_structs_do() -> None:
    result = subprocess.run(
        [sys.executable, "-P", "scripts/verdict_doc.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_every_field_is_explained() -> None:
    schema = json.loads((ROOT / "docs" / "verdict.schema.json").read_text())
    silent = [
        f"{name}.{field}"
        for name, struct in schema["$defs"].items()
        for field, told in struct["properties"].items()
        if not told["description"]
    ]

    assert silent == []
    assert schema["title"].endswith(f"format {VERSION}")
    names = {field.encode_name for field in msgspec.structs.fields(Verdict)}
    assert set(schema["$defs"]["Verdict"]["properties"]) == names
