"""Test results: which commands run tests, what the tools say of each case, and the spans of it.

`plan` looks at a command that begins, `collect` at one that ended. The parsers and the `Run` they
give know nothing of traces, so that replay reads results in the same way.
"""
