from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.testing import Say, scenarios
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage

pytestmark = pytest.mark.agents

VERSION = "0.86.2"
TESTING = ("--auto-test", "--test-cmd", "python3 hello.py | grep -qx hi")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_every_turn_is_in_the_trace_and_commit_messages_are_side_calls(
    stage: Stage, mode: str
) -> None:
    done = stage.record(scenarios.aider_hello(), *stage.aider(*TESTING), options=["--mode", mode])

    assert done.ended.returncode == 0
    assert (done.problems, done.log) == ([], "")
    assert done.differences() == []
    assert (stage.workdir / "hello.py").read_text() == 'print("hi")\n'
    log = stage.run("git", "log", "--format=%s").stdout.decode().split("\n")
    assert log[:3] == ["feat: greet"] * 3

    turns = [call for call in done.model_calls if call.scene == "main"]
    assert len(turns) == len(done.chats()) == 3
    assert len(done.chats("commit_message")) == len(done.model_calls) - 3 == 3
    root = done.root.attributes
    assert (root[semconv.AGENT_NAME], root[semconv.AGENT_VERSION]) == ("aider", VERSION)
    assert root[semconv.PROCESS_EXIT_CODE] == 0
    prompts = done.prompts
    assert prompts[0] == "Write hello.py."
    assert ["python3 hello.py | grep -qx hi" in prompt for prompt in prompts[1:]] == [True, True]
    for chat, call in zip(done.chats(), turns, strict=True):
        (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
        assert call.cue is not None
        (said,) = call.cue.turn.parts
        assert isinstance(said, Say)
        assert answer["parts"] == [{"type": "text", "content": said.text}]
        assert chat.attributes[semconv.PROVIDER_NAME] == "openai"
        assert chat.attributes[semconv.CALL_STATE] == "complete"
    # with a base URL of its own, it does not ask for token counts
    counted = [chat.attributes.get(semconv.INPUT_TOKENS) for chat in done.chats()]
    assert counted == ([25, 25, 25] if mode == "forward" else [None] * 3)


def test_raw_gives_the_bytes_that_the_model_got_and_sent(stage: Stage) -> None:
    done = stage.record(scenarios.aider_hello(), *stage.aider(*TESTING))

    kept = [
        tuple(
            stage.traceproof("raw", done.path, span.span_id, side).stdout
            for side in ("request", "response")
        )
        for span in done.chats()
    ]
    turns = [call for call in done.model_calls if call.scene == "main"]
    assert kept == [(call.request_body, call.response_body) for call in turns]
