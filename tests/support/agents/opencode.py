"""opencode with a model of Anthropic and one of OpenAI, whose tool for edits is another."""

from __future__ import annotations

from pathlib import Path

from support.stage import Stage
from support.variant import Command, Outcome, Variant
from traceproof.proxy.testing import Match, Say, Scene, Turn, Use

TITLE = Scene(
    name="title",
    when=Match(system="You are a title generator."),
    turns=[Turn([Say("A scripted session")])],
    repeat=True,
)


def write(path: Path, content: str) -> Use:
    return Use("write", {"filePath": str(path), "content": content})


def patch(path: Path, content: str) -> Use:
    lines = "".join(f"+{line}\n" for line in content.splitlines())
    text = f"*** Begin Patch\n*** Add File: {path.name}\n{lines}*** End Patch\n"
    return Use("apply_patch", {"patchText": text})


def bash(line: str) -> Use:
    return Use("bash", {"command": line, "description": "A step"})


def task(prompt: str) -> Use:
    return Use("task", {"description": "A part", "prompt": prompt, "subagent_type": "general"})


def command_of(model: str, stage: Stage, prompt: str) -> Command:
    return [stage.agent("opencode"), "run", "--model", model, prompt]


def variant(provider: str, model: str, overloaded: str) -> Variant:
    return Variant(
        name=f"opencode-{provider}",
        agent="opencode",
        version="1.18.33",
        provider=provider,
        key=f"{provider.upper()}_API_KEY",
        command=lambda stage, prompt: command_of(f"{provider}/{model}", stage, prompt),
        write=write if provider == "anthropic" else patch,
        shell=bash,
        side=[TITLE],
        # it looks for a plug-in of its own in the registry, and does without
        env={"npm_config_registry": "http://127.0.0.1:9"},
        elsewhere=frozenset({"models.opencode.ai"}),
        outcomes={
            "error": Outcome(error="overloaded_error"),
            "drop": Outcome(error="stream_cut"),
            "overloaded": Outcome(state="refused", error=overloaded),
        },
    )


VARIANTS = [
    variant("anthropic", "claude-sonnet-4-5", "overloaded_error"),
    variant("openai", "gpt-5.5", "server_error"),
]
