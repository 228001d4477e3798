"""Running it again: steps and tests, many times over, until it can be said what reproduces.

Planning, statistics and verdicts are calls that return at once; `traceproof.sandbox` is where
things run.
"""
