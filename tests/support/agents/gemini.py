"""Gemini CLI with an API key: with a model named, without one (it asks a router), on Vertex AI."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from support.stage import Stage
from support.variant import Command, Outcome, Variant
from traceproof.proxy.testing import Match, Say, Scene, Turn, Use
from traceproof.proxy.testing.parts import AnyPart

VERSION = "0.61.0"
PRIVACY = {"usageStatisticsEnabled": False}
CHOICE = {
    "reasoning": "One file.",
    "model_choice": "flash",
    "complexity_reasoning": "One file.",
    "complexity_score": 20,
}
ROUTER = Scene(
    name="router",
    when=Match(side_call=True),
    turns=[Turn([Say(json.dumps(CHOICE))])],
    repeat=True,
)


def write(path: Path, content: str) -> AnyPart:
    return Use("write_file", {"file_path": str(path), "content": content})


def shell(line: str) -> AnyPart:
    return Use("run_shell_command", {"command": line, "description": "A step"})


def settings(auth: str) -> Callable[[Stage], None]:
    """Choose how to authenticate: with a base URL it does not take what the environment says."""

    def write_settings(stage: Stage) -> None:
        folder = Path(stage.env["HOME"], ".gemini")
        folder.mkdir(exist_ok=True)
        told = {"privacy": PRIVACY, "security": {"auth": {"selectedType": auth}}}
        (folder / "settings.json").write_text(json.dumps(told))

    return write_settings


def variant(name: str, *options: str, provider: str = "gcp.gemini", **env: str) -> Variant:
    def command(stage: Stage, prompt: str) -> Command:
        common = ("--approval-mode", "yolo", "--output-format", "json")
        return [stage.agent("gemini"), *common, *options, "-p", prompt]

    return Variant(
        name=name,
        agent="gemini-cli",
        version=VERSION,
        provider=provider,
        key=next(iter(env)),
        command=command,
        write=write,
        shell=shell,
        env={"GEMINI_CLI_TRUST_WORKSPACE": "true", **env},
        prepare=settings("vertex-ai" if "vertex" in provider else "gemini-api-key"),
        side=[ROUTER],
        outcomes={
            # the request held a tool's result: what came is taken for the answer, and it ends
            "error": Outcome(tries=1, finished=False, error="overloaded_error"),
            "drop": Outcome(tries=1, code=1, finished=False, error="stream_cut"),
            "overloaded": Outcome(state="refused", error="UNAVAILABLE"),
        },
    )


KEY = "AIzaSyFake-key-of-the-tests-0123456789abc"
GEMINI = variant("gemini", "-m", "gemini-2.5-pro", GEMINI_API_KEY=KEY)
ROUTED = variant("gemini-routed", GEMINI_API_KEY=KEY)
VERTEX = variant(
    "gemini-vertex",
    "-m",
    "gemini-2.5-pro",
    provider="gcp.vertex_ai",
    GOOGLE_API_KEY=KEY,
    GOOGLE_GENAI_USE_VERTEXAI="true",
)
VARIANTS = [GEMINI, ROUTED, VERTEX]
