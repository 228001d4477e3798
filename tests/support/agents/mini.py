"""mini-swe-agent with models of Anthropic, OpenAI and Google, by tool calls and by blocks of text.

None of its calls is streamed. It ends by a command of its own, which nobody answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from support.stage import Stage
from support.variant import REPEAT, Command, Outcome, Variant
from traceproof.proxy.testing import Say, Use
from traceproof.proxy.testing.parts import AnyPart

VERSION = "2.4.6"
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
ENV = {
    "MSWEA_CONFIGURED": "true",
    "MSWEA_COST_TRACKING": "ignore_errors",
    "GEMINI_API_KEY": "AIzaSyFake-key-of-the-tests-0123456789abc",
}


class Provider(NamedTuple):
    """Whose model it uses: `provider` as the trace names it, its error when it is overloaded."""

    name: str
    provider: str
    model: str
    overloaded: str


ANTHROPIC_S = Provider(
    "anthropic", "anthropic", "anthropic/claude-sonnet-4-5-20250929", "overloaded_error"
)
OPENAI_S = Provider("openai", "openai", "openai/gpt-4o", "server_error")
GOOGLE_S = Provider("gemini", "gcp.gemini", "gemini/gemini-2.5-pro", "UNAVAILABLE")
TEXT = ("-c", "mini_textbased.yaml", "--model-class", "litellm_textbased")


def heredoc(path: Path, content: str) -> str:
    return f"cat <<'EOF' > '{path}'\n{content}EOF"


def tool(line: str) -> AnyPart:
    return Use("bash", {"command": line})


def block(line: str) -> AnyPart:
    return Say(f"\n\n```mswea_bash_command\n{line}\n```\n")


def variant(whose: Provider, *options: str, name: str = "") -> Variant:
    shell = block if options == TEXT else tool
    finish: Sequence[AnyPart] = (REPEAT, shell(SUBMIT))

    def command(stage: Stage, prompt: str) -> Command:
        model = ("-m", whose.model, "-y", "--exit-immediately")
        where = ("-o", Path(stage.env["HOME"], "trajectory.json"))
        return [stage.agent("mini"), *options, *model, *where, "-t", prompt]

    return Variant(
        name=name or f"mini-{whose.name}",
        agent="mini-swe-agent",
        version=VERSION,
        provider=whose.provider,
        key=f"{whose.name.upper()}_API_KEY",
        command=command,
        write=lambda path, content: shell(heredoc(path, content)),
        shell=shell,
        finish=finish,
        env=ENV,
        tools=shell is tool,
        streams=False,
        outcomes={
            # an answer that is not streamed has no error within
            "error": Outcome(tries=1, state="complete"),
            "drop": Outcome(error="stream_cut"),
            "overloaded": Outcome(state="refused", error=whose.overloaded),
        },
    )


ANTHROPIC, OPENAI, GOOGLE = variant(ANTHROPIC_S), variant(OPENAI_S), variant(GOOGLE_S)
RESPONSES = variant(OPENAI_S, "--model-class", "litellm_response", name="mini-responses")
TEXTUAL = variant(ANTHROPIC_S, *TEXT, name="mini-text")
VARIANTS = [ANTHROPIC, OPENAI, GOOGLE, RESPONSES, TEXTUAL]
