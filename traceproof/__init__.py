"""Record coding agents at work, prove what reproduces, and let only that out as data."""

import typing

from traceproof.version import __version__

if typing.TYPE_CHECKING:
    from traceproof.shellcommands import Command, TestCase, TestRun
    from traceproof.spanobjects import Message, Prompt, Usage
    from traceproof.trace import Trace, open_trace
    from traceproof.turns import Agent, ToolCall, Turn

__all__ = [
    "Agent",
    "Command",
    "Message",
    "Prompt",
    "TestCase",
    "TestRun",
    "ToolCall",
    "Trace",
    "Turn",
    "Usage",
    "__version__",
    "open_trace",
]

_HOMES = {
    "Agent": "traceproof.turns",
    "Command": "traceproof.shellcommands",
    "Message": "traceproof.spanobjects",
    "Prompt": "traceproof.spanobjects",
    "TestCase": "traceproof.shellcommands",
    "TestRun": "traceproof.shellcommands",
    "ToolCall": "traceproof.turns",
    "Trace": "traceproof.trace",
    "Turn": "traceproof.turns",
    "Usage": "traceproof.spanobjects",
    "open_trace": "traceproof.trace",
}

if not typing.TYPE_CHECKING:  # for which any name would be there

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for: the package alone imports fast."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415 - likewise

        globals()[name] = found = getattr(importlib.import_module(_HOMES[name]), name)
        return found
