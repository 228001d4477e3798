"""`traceproof replay`: from a trace to its steps, the box they are played in, and what is told."""
