"""Claude Code with an API key."""

from __future__ import annotations

from support.stage import Stage
from support.variant import Command, Outcome, Variant
from traceproof.proxy.testing import scenarios


def command(stage: Stage, prompt: str) -> Command:
    return stage.claude(prompt)


VARIANTS = [
    Variant(
        name="claude",
        elsewhere=frozenset({"api.anthropic.com"}),  # in reverse mode
        agent="claude-code",
        version="2.1.197",
        provider="anthropic",
        key="ANTHROPIC_API_KEY",
        command=command,
        write=scenarios.write,
        shell=lambda line: scenarios.bash(line, "A step"),
        side=[scenarios.TITLE],
        outcomes={
            "error": Outcome(error="overloaded_error"),
            "drop": Outcome(error="stream_cut"),
            "overloaded": Outcome(state="refused", error="overloaded_error"),
        },
    )
]
