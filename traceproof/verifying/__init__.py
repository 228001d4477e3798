"""What `traceproof verify` is about: which trees are compared, by which tests, from where.

Running tests is the business of `traceproof.replay`.
"""
