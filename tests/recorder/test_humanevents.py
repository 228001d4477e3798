from __future__ import annotations

import pytest

from traceproof.recorder.humanevents import INTERRUPTION, SLASH_COMMAND, read

STOPPED = "[Request interrupted by user]"


@pytest.mark.parametrize(
    ("text", "events", "prompt"),
    [
        ("Do it.", [], "Do it."),
        ("", [], ""),
        (STOPPED, [(INTERRUPTION, STOPPED)], ""),
        (f"{STOPPED}\n\nDo that.", [(INTERRUPTION, STOPPED)], "Do that."),
        (
            "[Request interrupted by user for tool use]\n\nNo.",
            [(INTERRUPTION, "[Request interrupted by user for tool use]")],
            "No.",
        ),
        (f"What does {STOPPED} mean?", [], f"What does {STOPPED} mean?"),
        (
            "<command-name>/model</command-name>\n<command-args>opus</command-args>",
            [(SLASH_COMMAND, "/model opus")],
            "",
        ),
        (
            "<command-name>/cost</command-name>\n\n<bash-stdout>1\n\n2</bash-stdout>\n\nGo on.",
            [(SLASH_COMMAND, "/cost")],
            "Go on.",
        ),
        (
            "<bash-input>ls -l</bash-input>\n\n<bash-stdout>a</bash-stdout>",
            [(SLASH_COMMAND, "!ls -l")],
            "",
        ),
        ("<command-name>/cost", [], "<command-name>/cost"),
        ("<div>Do it.</div>", [], "<div>Do it.</div>"),
    ],
)
def test_what_the_agent_tells_of_the_user_is_no_prompt(
    text: str, events: list[tuple[str, str]], prompt: str
) -> None:
    assert read(text) == (events, prompt)


def test_a_long_text_that_only_looks_like_a_notice_takes_no_time() -> None:
    text = "<bash-input>" * 20_000

    assert read(text).prompt == text
