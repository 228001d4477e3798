"""Where each agent is told of its MCP servers, and how it is told otherwise for one run.

Files of the user's are read, never written. What an agent is told goes into its command line, its
environment, or a file that exists in memory alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from traceproof.recorder.mcp.agents.base import Configuration, Found, Launch, Server, Told
from traceproof.recorder.mcp.agents.claude import ClaudeConfiguration
from traceproof.recorder.mcp.agents.codex import CodexConfiguration
from traceproof.recorder.mcp.agents.gemini import GeminiConfiguration
from traceproof.recorder.mcp.agents.opencode import OpenCodeConfiguration

__all__ = ["CONFIGURATIONS", "Configuration", "Found", "Launch", "Server", "Told"]

CONFIGURATIONS: Mapping[str, Configuration] = {
    "claude-code": ClaudeConfiguration(),
    "codex": CodexConfiguration(),
    "gemini-cli": GeminiConfiguration(),
    "opencode": OpenCodeConfiguration(),
}
"""By the name of the agent; others have no MCP servers that are known of."""
