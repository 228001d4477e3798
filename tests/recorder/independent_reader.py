"""Reads a trace file with `zstandard` and `json` alone, as docs/trace-format.md says."""

# ruff: noqa: ANN001, ANN201, PTH123 - an example for people who write in other languages

import base64
import hashlib
import json

import zstandard


def read(path):
    """Return spans by id, in flight or ended, and blobs (bytes and masks) by name."""
    spans, blobs = {}, {}
    with open(path, "rb") as file:
        stream = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)
        lines = stream.decompress(file.read()).split(b"\n")[:-1]
    for line in map(json.loads, lines):
        for blob in line.get("traceproofBlobs", []):
            text = blob.get("utf8")
            data = base64.b64decode(blob["base64"]) if text is None else text.encode()
            assert hashlib.sha256(data).hexdigest() == blob["sha256"]
            blobs[blob["sha256"]] = data, blob.get("masks", [])
        for pending, key in (True, "traceproofPending"), (False, "resourceSpans"):
            for group in line.get(key, []):
                for span in (span for scope in group["scopeSpans"] for span in scope["spans"]):
                    spans[span["spanId"]] = {**span, "pending": pending}
    return spans, blobs


def resolve(blobs, ref):
    """Return the bytes that a reference stands for, and the masks in them."""
    form, name = ref.split(":")
    if form == "json":
        return json.loads(blobs[name][0]).encode(), []
    if form == "list":
        return join(blobs, [{"text": "["}, {"list": name, "by": ","}, {"text": "]"}])
    return join(blobs, json.loads(blobs[name][0])["parts"] if form == "concat" else [name])


def join(blobs, parts, by=b""):
    data, masks = b"", []
    for number, part in enumerate(parts):
        data += by if number else b""
        more, found = piece(blobs, part)
        masks += [[len(data) + offset, *rest] for offset, *rest in found]
        data += more
    return data, masks


def piece(blobs, part):
    if isinstance(part, str):
        return blobs[part]
    if "text" in part:
        return part["text"].encode(), []
    if "list" in part:
        return join(blobs, elements(blobs, part["list"]), part["by"].encode())
    data, masks = blobs[part["blob"]]
    for offset, text in reversed(part["insert"]):
        data = data[:offset] + text.encode() + data[offset:]
        masks = [[at + len(text.encode()) * (at >= offset), *rest] for at, *rest in masks]
    return data, masks


def elements(blobs, name):
    parts: list = []
    chain: list = []
    while name:
        chain.append(json.loads(blobs[name][0]))
        name = chain[-1].get("base")
    for manifest in reversed(chain):
        parts[manifest.get("keep", 0) :] = manifest.get("parts", [])
    return parts
