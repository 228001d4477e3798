from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

LOCKS = [
    "requirements/build.txt",
    "requirements/dev.txt",
    "requirements/lock.txt",
    "requirements/runtime.txt",
    "tests/agents/aider.txt",
    "tests/agents/mini.txt",
    "tests/agents/phoenix.txt",
]
PIN = re.compile(r"^([a-z0-9-]+)==([^ ]+)(?: ; (.+?))? \\$")


def canonical(requirement: str) -> str:
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, set[str]]:
    """Give the versions a lock names, by package."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if match := PIN.match(line):
            found.setdefault(match[1], set()).add(match[2])
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_versions_with_hashes_and_nothing_else(lock: str, root: Path) -> None:
    lines = (root / lock).read_text().splitlines()
    hashed = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")

    assert [line for line in lines if not PIN.match(line) and not hashed.match(line)] == []
    assert all(hashed.match(after) for line, after in pairwise(lines) if PIN.match(line))


def test_the_dev_lock_holds_the_runtime_one(root: Path) -> None:
    runtime, dev = (pins(root / "requirements" / f"{name}.txt") for name in ("runtime", "dev"))

    assert {name: versions for name, versions in runtime.items() if dev.get(name) != versions} == {}


def test_the_locks_know_every_dependency(root: Path, pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    runtime = {canonical(r) for r in project["dependencies"] + extras["proxy"] + extras["docker"]}
    dev = runtime | {canonical(r) for r in extras["otlp"] + extras["dev"]}

    assert runtime <= pins(root / "requirements" / "runtime.txt").keys()
    assert dev <= pins(root / "requirements" / "dev.txt").keys()


def test_the_agents_are_pinned_exactly(root: Path) -> None:
    agents = root / "tests" / "agents"
    package = json.loads((agents / "package.json").read_text())
    exact = re.compile(r"(npm:@[a-z/]+@)?\d+\.\d+\.\d+(-linux-(x64|arm64))?$")

    assert package["dependencies"] == {
        "@anthropic-ai/claude-code": "2.1.197",
        "@google/gemini-cli": "0.61.0",
    }
    natives = package["optionalDependencies"]
    assert [f"{name} {pin}" for name, pin in natives.items() if not exact.match(pin)] == []
    for name, version in {"codex": "0.169.0", "opencode": "1.18.33", "node": "24.21.0"}.items():
        ours = [pin for full, pin in natives.items() if full.split("/")[-1].startswith(name)]
        assert len(ours) == 2
        assert all(version in pin for pin in ours)
    assert pins(agents / "aider.txt")["aider-chat"] == {"0.86.2"}
    assert pins(agents / "mini.txt")["mini-swe-agent"] == {"2.4.6"}
    assert pins(agents / "phoenix.txt")["arize-phoenix"] == {"20.26.1"}
    assert list(agents.glob("*lock*")) == []


IMPORTED_AS = {
    "opentelemetry-sdk": "opentelemetry.sdk",
    "opentelemetry-proto": "opentelemetry.proto",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http",
}


def test_every_dependency_is_used(pyproject: dict[str, Any], modules: dict[str, Path]) -> None:
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    used = ("proxy", "docker", "otlp")
    declared = {canonical(r) for r in sum((extras[name] for name in used), project["dependencies"])}
    sources = "\n".join(path.read_text() for path in modules.values())
    unused = [
        name
        for name in sorted(declared)
        if not re.search(rf"(import|from) {IMPORTED_AS.get(name, name)}\b", sources)
        and f'import_module("{IMPORTED_AS.get(name, name)}' not in sources
    ]

    assert unused == []
