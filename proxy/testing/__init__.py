"""A scripted model: an HTTP server that speaks the providers' wire formats from a script of turns.

For tests and demonstrations: every answer is known beforehand, every byte that passes is kept, and
what can go wrong on the way goes wrong when told to. It needs only the base package.

    with ScriptedModel([Turn([Say("Hello")])]) as model:
        run_the_agent(ANTHROPIC_BASE_URL=model.url)
        assert model.calls[0].request_body
"""

from traceproof.proxy.testing.calls import Call
from traceproof.proxy.testing.faults import (
    Burst,
    CrLf,
    Cut,
    Delay,
    Drop,
    Encode,
    ErrorEvent,
    Fault,
    Frame,
    Header,
    Hold,
    Huge,
    Insert,
    Ping,
    Split,
    Status,
)
from traceproof.proxy.testing.parts import (
    Cite,
    Custom,
    Echo,
    Part,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Usage,
    Use,
)
from traceproof.proxy.testing.request import Request
from traceproof.proxy.testing.script import Match, Scene, Script, Turn, from_data
from traceproof.proxy.testing.scripted import ScriptedModel

__all__ = [
    "Burst",
    "Call",
    "Cite",
    "CrLf",
    "Custom",
    "Cut",
    "Delay",
    "Drop",
    "Echo",
    "Encode",
    "ErrorEvent",
    "Fault",
    "Frame",
    "Header",
    "Hold",
    "Huge",
    "Insert",
    "Match",
    "Part",
    "Ping",
    "Redacted",
    "Refuse",
    "Request",
    "Say",
    "Scene",
    "Script",
    "ScriptedModel",
    "ServerTool",
    "Split",
    "Status",
    "Think",
    "Turn",
    "Usage",
    "Use",
    "from_data",
]
