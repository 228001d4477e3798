"""What works on the traces of a store, one at a time: `traceproof worker`.

What is to be done with a trace is another command of this program, in a process of its own.
"""
