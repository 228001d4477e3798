"""Places to run other people's code in: containers that nothing leaves, or private folders.

`protocol` says what a sandbox is; `docker` and `local` are the two there are. What is run in them,
and what its results mean, is the business of `traceproof.replay`.
"""
