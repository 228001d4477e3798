"""The base package alone: what the extras bring is made impossible to import."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Put before any import: the names in argv[1] (comma-separated) are as if they were not installed.
WITHOUT = """\
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def __init__(self, names): self.names = names
    def find_spec(self, name, path=None, target=None):
        if any(name == n or name.startswith(n + ".") for n in self.names):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing(sys.argv[1].split(",")))
del sys.argv[1]
"""


def base_distributions() -> set[str]:
    """Give the names of what `pip install traceproof` without an extra would install."""
    found: set[str] = set()
    pending = ["traceproof"]
    while pending:
        name = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for requirement in importlib.metadata.requires(name) or []:
            needed, _, marker = requirement.partition(";")
            if "extra ==" not in marker and "platform_system" not in marker:
                pending.append(re.split(r"[^\w.-]", needed, maxsplit=1)[0])
    return found


def beyond_the_base() -> set[str]:
    """Give the importable names that only extras bring."""
    base = base_distributions()
    names = {
        name
        for name, distributions in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", d).lower() for d in distributions} & base
    }
    # `opentelemetry` is shared between the SDK (base) and what extras bring.
    return names | {"opentelemetry.proto", "opentelemetry.exporter"}


def run_without_extras(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            WITHOUT + program,
            ",".join(sorted(beyond_the_base())),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "name", ["mitmproxy", "brotli", "google", "opentelemetry.proto", "pytest", "requests"]
)
def test_the_block_blocks(name: str) -> None:
    result = run_without_extras(f"import {name}")

    assert result.returncode == 1
    assert f"No module named {name!r}" in result.stderr


def test_every_module_of_the_recorder_imports(modules: dict[str, Path]) -> None:
    names = [name for name in modules if name.startswith("traceproof.recorder")]
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"

    result = run_without_extras(program, *names)

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([command, "--help"] for command in ("show", "record", "export", "push", "import")),
    ],
)
def test_the_command_line_starts(arguments: list[str]) -> None:
    program = "from traceproof.__main__ import main\nsys.argv[0] = 'traceproof'\nsys.exit(main())\n"

    result = run_without_extras(program, *arguments)

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "traceproof" in result.stdout


def test_a_trace_is_read_from_code_and_exported(root: Path, tmp_path: Path) -> None:
    golden = root / "tests" / "recorder" / "golden" / "format-1.jsonl"
    trace = tmp_path / "trace.otlp.jsonl.zst"
    program = """\
import sys, pathlib, zstandard, traceproof
from traceproof.__main__ import run
golden, trace = map(pathlib.Path, sys.argv[1:])
trace.write_bytes(zstandard.compress(golden.read_bytes()))
with traceproof.open_trace(trace) as opened:
    print(len(opened.conversation()), [turn.model for turn in opened.turns()][:1])
print(run(["export", str(trace), "-o", str(trace.with_name("out.jsonl"))]))
print(run(["push", str(trace), "--endpoint", "http://127.0.0.1:9"]))
"""

    result = run_without_extras(program, str(golden), str(trace))

    assert result.returncode == 0, result.stderr
    conversation, exported, pushed = result.stdout.splitlines()
    assert conversation.endswith("['claude-sonnet-4-5']")
    assert (exported, pushed) == ("0", "3")
    assert result.stderr.splitlines()[-1] == (
        "traceproof: pushing needs OpenTelemetry's exporter: pip install 'traceproof[otlp]'"
    )
