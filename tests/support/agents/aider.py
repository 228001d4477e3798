"""Aider with a model of OpenAI and one of Anthropic.

It has no tools: an edit is text, and what its test prints comes back as a prompt. So the story is
told by a test that fails until the third turn.
"""

from __future__ import annotations

from pathlib import Path

from support.stage import Stage
from support.variant import HELLO, REPEAT, WROTE, Command, Outcome, Variant
from traceproof.proxy.testing import Say, Turn, scenarios

COMMIT = scenarios.aider_hello().scenes[0]
FIRST, SECOND, THIRD = (f'print("{greeting}")\n' for greeting in ("hello", "hey", "hi"))
TESTS = ("--auto-test", "--test-cmd", f"cat .git/token; python3 {HELLO} | grep -qx hi")


def edit(before: str, after: str) -> Say:
    return Say(f"\n\n{HELLO}\n```\n<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE\n```\n")


def write(_path: Path, content: str) -> Say:
    return edit("", content)


def shell(line: str) -> Say:
    return Say(f"\n```bash\n{line}\n```\n")


def tell(_variant: Variant, _stage: Stage) -> list[Turn]:
    return [
        Turn([Say(WROTE), edit("", FIRST)]),
        Turn([Say("Shorter, then."), edit(FIRST, SECOND)]),
        Turn([REPEAT, edit(SECOND, THIRD), shell(f"python3 {HELLO}")], piece=3),
    ]


def variant(provider: str, model: str, errors: tuple[str, str]) -> Variant:
    def command(stage: Stage, prompt: str) -> Command:
        return stage.aider(*TESTS, message=prompt, model=model)

    return Variant(
        name=f"aider-{provider}",
        agent="aider",
        version="0.86.2",
        provider=provider,
        key=f"{provider.upper()}_API_KEY",
        command=command,
        write=write,
        shell=shell,
        tell=tell,
        side=[COMMIT],
        tools=False,
        outcomes={
            "error": Outcome(error=errors[0]),
            "drop": Outcome(error="stream_cut"),
            "overloaded": Outcome(state="refused", error=errors[1]),
        },
    )


VARIANTS = [
    variant("openai", "openai/gpt-4o", ("overloaded_error", "server_error")),
    variant(
        "anthropic",
        "anthropic/claude-sonnet-4-5-20250929",
        ("overloaded_error", "overloaded_error"),
    ),
]
