"""The package's version; the trace format has its own, in ``traceproof.recorder.semconv``."""

__version__ = "0.1.0"
