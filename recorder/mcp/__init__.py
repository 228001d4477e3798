"""MCP servers: a program that stands before one, and what the recorder makes of what it copies.

`tee` and what it imports run on a bare Python (`-I -S`), between the agent and a server; the rest
is the recorder's side. Servers over HTTP are `traceproof.proxy.mcp`'s business.
"""
