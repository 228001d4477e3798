"""`traceproof proxy`: a proxy that runs on its own, for many agents and users."""
