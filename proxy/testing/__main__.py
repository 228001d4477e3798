"""Run a scripted model by hand: `python -m traceproof.proxy.testing SCRIPT --port 0`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import tomllib
from pathlib import Path

import msgspec

from traceproof.proxy.testing.calls import Call
from traceproof.proxy.testing.script import Script, from_data
from traceproof.proxy.testing.scripted import ScriptedModel

WRONG_INPUT, ENVIRONMENT_FAILED = 2, 3


def load(path: Path) -> Script:
    """Read a script from a TOML or JSON file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no script; the message says where and why.
    """
    text = path.read_text(encoding="utf-8")
    data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    try:
        return from_data(data)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def summary(call: Call) -> str:
    """Return one line on a call."""
    place = f"{call.scene or '-'} #{call.cue.step}" if call.cue else "-"
    sizes = f"{len(call.request_body)} B in, {len(call.response_body)} B out"
    return f"{call.method} {call.target}  {call.status}  {place}  {sizes}  {call.outcome}"


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; print the URL first, and a line for each call at the end."""
    parser = argparse.ArgumentParser(prog="python -m traceproof.proxy.testing", description=__doc__)
    parser.add_argument("script", type=Path, help="a script, TOML or JSON")
    parser.add_argument(
        "--port", type=int, default=0, help="the port; 0 (default) picks a free one"
    )
    parser.add_argument("--certificate", type=Path, help="PEM file: speak TLS")
    parser.add_argument("--key", type=Path, help="the certificate's key, if not in the same file")
    given = parser.parse_args(arguments)
    try:
        script = load(given.script)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{given.script}: {error}\n")
        return WRONG_INPUT
    model = ScriptedModel(script, port=given.port, certificate=given.certificate, key=given.key)
    return serve(model)


def serve(model: ScriptedModel) -> int:
    """Serve until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        model.start()
    except OSError as error:
        sys.stderr.write(f"port {model.port}: {error}\n")
        return ENVIRONMENT_FAILED
    sys.stdout.write(f"{model.url}\n")
    sys.stdout.flush()
    stop.wait()
    model.close()
    for call in model.calls:
        sys.stderr.write(f"{summary(call)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
