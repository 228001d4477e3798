"""What runs beside the tests, in their process: it arranges them, and tells how each one ended.

These files are copied into a box and run in the project's own Python, from 3.6 on, with its own
pytest, from 4.6 on, or with unittest, on the standard library alone. There the folder is a package
of the name `_traceproof`, which leaves `sys.modules` before the first test. Nothing here judges:
that is done outside of the box, by `traceproof.replay.events`.
"""
