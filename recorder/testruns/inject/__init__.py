"""What is put into a test tool's own process: a folder on its PYTHONPATH, and no more.

The modules here run in the user's Python, of whatever version, on the standard library alone.
"""
