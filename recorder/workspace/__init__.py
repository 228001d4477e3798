"""Snapshots of the folder that an agent works in: what it holds, and who changed what, when.

`scan` finds out what changed on the disk, `contents` stores it masked, `tree` names the result,
`credit` says whose change it was, and `watch` does all this at the moments that a session tells of
(`traceproof.recorder.steps`). Nothing is ever written outside the store. Rebuilding a workspace
from a trace is the business of `traceproof.workspaces`.
"""
