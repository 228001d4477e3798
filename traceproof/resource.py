"""What every trace says of the recorder that made it."""

from __future__ import annotations

import platform

from opentelemetry.sdk.resources import OTELResourceDetector

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes
from traceproof.version import __version__


def resource() -> Attributes:
    """Describe this recorder, after what OTEL_RESOURCE_ATTRIBUTES says."""
    detected = OTELResourceDetector().detect().attributes
    return {
        **{name: str(value) for name, value in detected.items()},
        semconv.SOURCE: "recorder",
        "service.name": "traceproof",
        "service.version": __version__,
        "host.arch": platform.machine(),
        "os.type": platform.system().lower(),
        "process.runtime.version": platform.python_version(),
    }
