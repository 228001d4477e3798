"""The ground floor: the trace model, the trace file, and what fills it.

Nothing here imports another part of traceproof, so a training job can read traces with the base
package alone.
"""
