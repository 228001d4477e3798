"""Two recordings in one store at the same time keep to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.testing import Hold, Match, Say, Scene, Script, ScriptedModel, Turn, scenarios
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Trace

pytestmark = pytest.mark.agents

NAMES = ("alder", "birch")


def scene(name: str) -> Scene:
    turns = [
        Turn([scenarios.bash(f"echo {name} was here", name)], faults=[Hold(after=2)]),
        Turn([Say(f"{name} is done.")]),
    ]
    return Scene(turns, when=Match(user=f"You are {name}."), name=name)


def prompt(trace: Trace) -> str:
    (said,) = trace.prompts
    return said


def test_two_recordings_at_once_do_not_meet(stage: Stage) -> None:
    script = Script([scenarios.TITLE, *map(scene, NAMES)])
    with ScriptedModel(script) as model:
        running = [stage.start(model, *stage.claude(f"You are {name}.")) for name in NAMES]
        model.wait_held(2, timeout=30)  # both are in the middle of a call
        model.release()
        ended = [stage.finish(process) for process in running]

    assert [each.returncode for each in ended] == [0, 0]
    traces = {prompt(trace): trace for trace in map(stage.read, stage.traces())}
    assert set(traces) == {f"You are {name}." for name in NAMES}
    assert len({trace.root.trace_id for trace in traces.values()}) == 2
    for name in NAMES:
        trace = traces[f"You are {name}."]
        (tool,) = trace.tools
        assert tool.attributes[semconv.TOOL_CALL_RESULT] == f"{name} was here"
        assert len(trace.chats()) == 2
        assert {chat.attributes.get(semconv.CONVERSATION_ID) for chat in trace.chats()} == {
            trace.root.attributes[semconv.CONVERSATION_ID]
        }
        requests = [trace.body(chat, "request")[0] for chat in trace.chats()]
        calls = [call.request_body for call in model.calls if call.scene == name]
        assert requests == calls
    assert sum(len(trace.exchanges) for trace in traces.values()) == len(model.calls)
