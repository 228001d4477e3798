"""Experiments that find out why a test flips: one file a kind of cause.

Each is a job (`traceproof.replay.asks.Job`): it asks for sessions and draws conclusions from what
came of them. Nothing is run here.
"""
