"""The program beside each local box that starts its commands, and ends all they started.

It runs as a process of its own (`python -m traceproof.sandbox.local.keeper`), so that a box ends
when its owner is killed. It imports the standard library alone, and all of it before a command
runs: what it was loaded from may be covered in the box. `traceproof.sandbox.local.control` is the
owner's side.
"""
