"""A proxy that a team shares: who may use it, whose session a call is, and what there is to count.

Nothing here listens or records; that is put together in `traceproof.team`.
"""
