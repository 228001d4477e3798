"""Reads a trace file with `zstandard` and `json` alone: docs/trace-format.md in 60 lines.

Run: `python independent_reader.py FILE` prints the spans, with their content, as JSON lines.
"""

import base64
import hashlib
import json
import sys

import zstandard


def read(path):
    """Return the spans of a trace file: OTLP spans as dictionaries, content in place."""
    blobs, ended, pending = {}, {}, {}
    with open(path, "rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        for line in stream.read().splitlines():
            data = json.loads(line)
            for blob in data.get("traceproofBlobs", []):
                content = blob["utf8"].encode() if "utf8" in blob else base64.b64decode(blob["base64"])
                assert hashlib.sha256(content).hexdigest() == blob["sha256"]
                blobs[blob["sha256"]] = content
            for kind, groups in (ended, "resourceSpans"), (pending, "traceproofPending"):
                for group in data.get(groups, []):
                    version = {a["key"]: a["value"] for a in group["resource"]["attributes"]}
                    assert int(version.get("traceproof.format.version", {"intValue": 1})["intValue"]) == 1
                    for scope in group["scopeSpans"]:
                        kind.update({span["spanId"]: span for span in scope["spans"]})
    spans = {**{key: {**span, "pending": True} for key, span in pending.items()}, **ended}
    for span in spans.values():
        span["attributes"] = dict(attribute(blobs, **pair) for pair in span.get("attributes", []))
    return list(spans.values())


def attribute(blobs, key, value):
    """Return an attribute's name and value; a reference gives what it stands for."""
    if key.startswith("traceproof.ref."):
        return key.removeprefix("traceproof.ref."), resolve(blobs, *value["stringValue"].split(":"))
    return key, next(iter(value.values()))


def resolve(blobs, form, name):
    """Return what a reference stands for: text, or bytes for `bytes` and `concat`."""
    match form:
        case "text":
            return blobs[name].decode()
        case "json":
            return json.loads(blobs[name])
        case "bytes":
            return blobs[name]
        case "list":
            return (b"[" + b",".join(part(blobs, p) for p in parts(blobs, name)) + b"]").decode()
        case "concat":
            return b"".join(part(blobs, p) for p in json.loads(blobs[name])["parts"])


def parts(blobs, name):
    """Return the parts of a list manifest."""
    manifest = json.loads(blobs[name])
    kept = parts(blobs, manifest["base"])[: manifest["keep"]] if "base" in manifest else []
    return kept + manifest.get("parts", [])


def part(blobs, p):
    """Return the bytes of one part of a manifest."""
    if isinstance(p, str):
        return blobs[p]
    if "text" in p:
        return p["text"].encode()
    if "list" in p:
        return p.get("by", ",").encode().join(part(blobs, q) for q in parts(blobs, p["list"]))
    content = blobs[p["blob"]]
    for offset, text in reversed(p["insert"]):
        content = content[:offset] + text.encode() + content[offset:]
    return content


if __name__ == "__main__":
    for found in read(sys.argv[1]):
        print(json.dumps(found, default=bytes.decode))
