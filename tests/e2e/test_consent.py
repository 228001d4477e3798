"""A person pauses, resumes and excludes a session while it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import zstandard

from traceproof.proxy.testing import Hold, Say, ScriptedModel, Turn, scenarios
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage

pytestmark = pytest.mark.agents

SCRIPT = scenarios.claude(
    *(
        Turn([Say(f"Step {n}."), scenarios.bash(f"echo {n}", f"Step {n}")], faults=[Hold(after=2)])
        for n in range(4)
    ),
    Turn([Say("All steps are done.")]),
)


def reach(model: ScriptedModel, step: int) -> None:
    """Wait until the answer of a step stands still in the middle."""

    def asked() -> bool:
        return step in {call.cue.step for call in model.calls if call.scene == "main" and call.cue}

    model._log.wait(asked, 30, f"step {step}")
    model.wait_held()


def test_calls_during_a_pause_are_not_recorded(stage: Stage) -> None:
    with ScriptedModel(SCRIPT) as model:
        process = stage.start(model, *stage.claude())
        reach(model, 0)
        model.release()
        reach(model, 1)
        paused = stage.traceproof("pause", "--json")
        model.release()  # step 1 began before the pause and ends in it
        reach(model, 2)
        resumed = stage.traceproof("resume", "--json")
        model.release()  # step 2 began in the pause
        reach(model, 3)
        model.release()
        ended = stage.finish(process)

    states = [json.loads(told.stdout)["state"] for told in (paused, resumed)]
    assert states == ["paused", "recording"]
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["result"] == "All steps are done."
    trace = stage.trace()
    chats = [(str(c.attributes[semconv.CALL_STATE]), c) for c in trace.chats()]
    assert [state for state, _ in chats] == ["complete", "unrecorded", "complete", "complete"]
    first, during, third, last = (chat for _, chat in chats)
    answers = [str(chat.attributes[semconv.OUTPUT_MESSAGES]) for chat in (first, third, last)]
    assert ["Step 0." in answers[0], "Step 3." in answers[1]] == [True, True]
    assert semconv.RESPONSE_BODY not in during.attributes
    assert "paused" in str(during.attributes[semconv.CALL_PROBLEM])
    (gap,) = [event for event in trace.root.events if event.name == "traceproof.consent"]
    assert gap.attributes[semconv.CONSENT] == "paused"
    assert during.start < gap.time < int(str(gap.attributes["traceproof.consent.until"]))


def test_an_excluded_session_leaves_nothing_but_a_marker(stage: Stage) -> None:
    with ScriptedModel(SCRIPT) as model:
        process = stage.start(model, *stage.claude("Do the secret work."))
        for step in range(4):
            reach(model, step)
            if step == 2:
                assert stage.traceproof("exclude").returncode == 0
            model.release()
        ended = stage.finish(process)

    assert ended.returncode == 0
    assert json.loads(ended.stdout)["result"] == "All steps are done."
    trace = stage.trace()
    (marker,) = [record.span for record in trace.records]
    assert set(marker.attributes) == {semconv.OPERATION_NAME, semconv.AGENT_NAME}
    assert [event.attributes[semconv.CONSENT] for event in marker.events] == ["excluded"]
    for file in stage.store.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            if file.suffix == ".zst":
                reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
                data = reader.read()
            assert b"secret work" not in data
            assert b"Step" not in data
