"""Boxes of this machine's own: private folders, and processes that are held and ended together.

`backend` is where to begin. A process is not a container: docs/sandbox.md says what is promised.
"""
