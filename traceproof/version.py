"""The package's version; the trace format has its own, in ``traceproof.recorder.semconv``."""

VERSION = "0.1.0"
