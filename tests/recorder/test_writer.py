from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder import otlp, semconv, writer
from traceproof.recorder.manifests import Literal
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Masked, Redactor
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

SECRET = "sk-test-0123456789abcdef"
MASKED = "<SECRET:KEY>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.otlp.jsonl.zst"


def root() -> Span:
    return Span("a" * 32, "b" * 16, "invoke_agent test", start=1)


def started(path: Path, **options: object) -> TraceWriter:
    """A writer with its first line."""
    made = TraceWriter(path, resource={"service.name": "x"}, **options)  # type: ignore[arg-type]
    made.pending(root())
    return made


def lines(path: Path) -> Iterator[dict[str, list[dict[str, object]]]]:
    with TraceReader.open(path) as reader:
        for number in range(len(reader._file.frames)):
            yield from map(json.loads, reader._file.lines(number).splitlines())


def test_content_comes_back(path: Path) -> None:
    made = started(path)
    refs = {
        made.text("some text\n"): "some text\n",
        made.text('{"an":"argument"}'): '{"an":"argument"}',
        made.blob(b"\xff bytes"): b"\xff bytes",
        made.list_([made.element(b"1"), made.element(b'"two"')]): '[1,"two"]',
    }
    assert made.close()

    with TraceReader.open(path) as reader:
        assert {ref: reader.resolve(ref) for ref in refs} == refs
    assert [ref.partition(":")[0] for ref in refs] == ["json", "text", "bytes", "list"]


def test_a_blob_is_written_once(path: Path) -> None:
    made = started(path)
    assert made.blob(b"data") == made.blob(b"data")
    made.close()

    assert sum("traceproofBlobs" in line for line in lines(path)) == 1


def test_every_line_of_ours_carries_the_resource_and_the_version(path: Path) -> None:
    made = started(path)
    made.span(root())
    made.close()
    first, second = lines(path)

    assert first["resourceSpans"] == []
    assert first["traceproofPending"][0]["resource"] == second["resourceSpans"][0]["resource"]
    with TraceReader.open(path) as reader:
        assert reader.resource == {semconv.FORMAT: 1, "service.name": "x"}


def test_spans_of_others_keep_their_resource_and_scope(path: Path) -> None:
    made = started(path)
    resource = {"service.name": "claude-code", semconv.SOURCE: "agent"}
    made.span(root(), resource=resource, scope=otlp.Scope("theirs", "2"))
    made.span(root(), scope=otlp.Scope("ours", "3"))
    made.close()

    with TraceReader.open(path) as reader:
        theirs, ours = reader.records()
    assert (theirs.resource, theirs.scope) == (resource, otlp.Scope("theirs", "2"))
    assert (ours.resource["service.name"], ours.scope) == ("x", otlp.Scope("ours", "3"))


def test_a_large_body_is_stored_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PART", 10)
    made = started(path)
    text = "é" * 1000
    ref = made.blob(text.encode())
    binary = made.blob(b"\x80" * 100)
    made.close()

    assert ref.startswith("concat:")
    with TraceReader.open(path) as reader:
        assert reader.resolve(ref) == text.encode()
        assert {len(piece) for piece in reader.iter_body(ref)} == {10}
        assert reader.resolve(binary) == b"\x80" * 100


def test_a_text_too_large_for_a_line_is_stored_as_a_body(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_BLOB", 100)
    monkeypatch.setattr(writer, "PART", 10)
    made = started(path)
    ref = made.text("x" * 200)
    made.close()

    with TraceReader.open(path) as reader:
        assert reader.resolve(ref) == b"x" * 200


def test_a_large_attribute_is_moved_to_a_blob(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_ATTRIBUTE", 10)
    made = started(path)
    span = root()
    span.attributes = {"short": "a", "long": "b" * 20, "raw": b"c" * 20, "number": 5}
    made.span(span)
    made.close()

    with TraceReader.open(path) as reader:
        (plain,), (inlined,) = list(reader.spans()), list(reader.spans(inline=True))
    assert set(plain.attributes) == {
        "short",
        "number",
        "traceproof.ref.long",
        "traceproof.ref.raw",
    }
    assert inlined.attributes == span.attributes


# --- secrets --------------------------------------------------------------------------------------


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add("KEY", SECRET)
    return made


def test_no_secret_gets_to_the_disk(
    path: Path, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PART", 64)
    made = started(path, mask=redactor.mask)
    span = root()
    span.attributes = {"env": f"KEY={SECRET}"}
    made.pending(span)
    made.span(span)
    refs = [
        made.text(f"é {SECRET}"),
        made.blob(f"é {SECRET}".encode() * 20),
        made.list_([made.element(f'"{SECRET}"'.encode())]),
        made.body([Literal(f"x{SECRET}")]),
    ]
    made.close()

    with TraceReader.open(path) as reader:
        stored = b"".join(reader._file.lines(number) for number in range(len(reader._file.frames)))
        values = [reader.resolve(ref) for ref in refs]
        masks = [[mask.offset for mask in reader.masks(ref)] for ref in refs]
        (span,) = reader.spans()
    assert SECRET.encode() not in stored
    assert span.attributes == {"env": f"KEY={MASKED}"}
    assert values == [
        f"é {MASKED}",
        f"é {MASKED}".encode() * 20,
        f'["{MASKED}"]',
        f"x{MASKED}".encode(),
    ]
    assert masks == [[3], [3 + 15 * number for number in range(20)], [2], [1]]


def test_masks_that_a_caller_made_move_with_those_made_here(path: Path, redactor: Redactor) -> None:
    made = started(path, mask=redactor.mask)
    data = f"{SECRET} <SECRET:OTHER>".encode()
    ref = made.blob(data, [Mask(data.index(b"<"), "OTHER")])
    made.close()

    with TraceReader.open(path) as reader:
        assert reader.masks(ref) == [Mask(0, "KEY"), Mask(len(MASKED) + 1, "OTHER")]


def test_a_mask_of_before_is_found_among_new_ones_and_look_alikes(
    path: Path, redactor: Redactor
) -> None:
    """The first look-alike is no mask, and stands between others that are."""
    redactor.add("WIDE", "begin <SECRET:A> end")
    made = started(path, mask=redactor.mask)
    data = f"<SECRET:A> {SECRET} <SECRET:A> {SECRET} <SECRET:B>".encode()
    masks = [Mask(data.rindex(b"<SECRET:A>"), "A"), Mask(data.index(b"<SECRET:B>"), "B", "base64")]

    found = made.masked(data, masks)
    covered = made.masked(b"begin <SECRET:A> end", [Mask(6, "A")])

    assert found.data == f"<SECRET:A> {MASKED} <SECRET:A> {MASKED} <SECRET:B>".encode()
    assert found.masks == [
        Mask(11, "KEY"),
        Mask(24, "A"),
        Mask(35, "KEY"),
        Mask(48, "B", "base64"),
    ]
    assert covered == Masked(b"<SECRET:WIDE>", [Mask(0, "WIDE")])
    made.close()


def test_many_masks_cost_what_they_are_long(path: Path, redactor: Redactor) -> None:
    """Each is looked at a few times, not once for each of the others."""
    looked = 0

    def mask(data: bytes) -> Masked:
        nonlocal looked
        looked += len(data)
        return redactor.mask(data)

    made = started(path, mask=mask)
    looked = 0
    data = f"{SECRET} <SECRET:OTHER>\n".encode() * 2000
    places = [found.start() for found in re.finditer(b"<SECRET:OTHER>", data)]
    made.blob(data, [Mask(place, "OTHER") for place in places])
    made.close()

    assert looked < 10 * len(data)


# --- time and failure -----------------------------------------------------------------------------


def wait_until(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


def span_count(path: Path) -> int:
    with TraceReader.open(path) as reader:
        return sum(1 for _ in reader.records())


def test_a_span_is_on_disk_within_a_second(path: Path) -> None:
    made = started(path)
    made.flush()
    written = time.monotonic()
    made.span(Span("a" * 32, "c" * 16, "chat"))
    wait_until(lambda: span_count(path) == 2)

    assert time.monotonic() - written < 1.0
    made.close()


def test_closing_twice_changes_nothing(path: Path) -> None:
    made = started(path)

    assert made.close()
    before = path.read_bytes()
    assert made.close()
    assert made.flush()
    assert path.read_bytes() == before


def test_what_comes_after_the_end_is_counted_as_lost(path: Path) -> None:
    made = started(path)
    made.close()
    made.span(root())

    assert made.lost == 1


def test_an_existing_file_is_refused(path: Path) -> None:
    path.touch()

    with pytest.raises(FileExistsError):
        TraceWriter(path, resource={})


def test_threads_may_write_at_once(path: Path) -> None:
    made = started(path, flush_interval=0.001)

    def write(number: int) -> None:
        for count in range(50):
            span = Span("a" * 32, f"{number:08d}{count:08d}", "chat")
            span.attributes[semconv.REF + "x"] = made.text(f"{count}")
            made.span(span)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.close()

    with TraceReader.open(path) as reader:
        assert sum("x" in span.attributes for span in reader.spans(inline=True)) == 200
        assert reader.problems == []


LIMITED = """
import os, resource, sys, threading
from pathlib import Path
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
told = []
made = TraceWriter(Path(sys.argv[1]), resource={}, flush_interval=0.01, on_problem=told.append)
made.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
made.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
for number in range(20):
    made.span(Span("a" * 32, f"{number:016x}", "chat", attributes={"x": os.urandom(400).hex()}))
    made.flush()
assert made.problem.errno == 27, made.problem
assert len(told) == 1, told
assert not made.flush()
if sys.argv[2] == "room again":
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert made.flush()
    assert made.problem is None
assert made.close() is (sys.argv[2] == "room again")
assert made.lost == 0
"""


def test_when_a_limit_is_lifted_nothing_is_lost(path: Path) -> None:
    subprocess.run([sys.executable, "-c", LIMITED, str(path), "room again"], check=True)

    with TraceReader.open(path) as reader:
        assert len(list(reader.spans())) == 21
        assert reader.problems == []


def test_what_got_to_the_disk_before_a_limit_is_readable(path: Path) -> None:
    subprocess.run([sys.executable, "-c", LIMITED, str(path), "no room"], check=True)

    assert path.stat().st_size == 2000
    with TraceReader.open(path) as reader:
        assert len(list(reader.spans())) > 1
        assert not reader.closed_properly


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"this test mounts a small disk, for which it must be root: {done.stderr}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_on_a_full_disk_it_waits_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(200 << 10))
    problems: list[OSError] = []
    made = started(small_disk / "trace.zst", on_problem=problems.append, flush_interval=0.01)
    refs = [made.blob(os.urandom(10_000)) for _ in range(10)]
    assert not made.flush()
    assert made.problem is not None
    assert len(problems) == 1

    filler.unlink()
    wait_until(lambda: made.problem is None)
    made.span(root())

    assert made.close()
    assert made.lost == 0
    with TraceReader.open(made.path) as reader:
        assert len(list(reader.spans())) == 1
        assert all(reader.resolve(ref) for ref in refs)
        assert reader.problems == []


def test_what_the_device_lost_is_told_once_and_to_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    problems: list[OSError] = []
    made = started(path, on_problem=problems.append)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        made.blob(os.urandom(2 << 20))  # ends a frame
    made.span(root())
    assert made.flush()
    assert made.problem is not None
    assert made.blocked is None  # it keeps nothing else from the disk

    assert not made.close()
    assert not made.close()
    assert [problem.errno for problem in problems] == [errno.EIO]


def test_when_too_much_waits_spans_are_dropped_and_counted(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(252 << 10))
    made = started(small_disk / "trace.zst", backlog=1000)
    for number in range(50):
        ref = made.blob(number.to_bytes(1, "big") + os.urandom(500))
        made.span(Span("a" * 32, f"{number:016x}", "chat", attributes={semconv.REF + "x": ref}))
        made.flush()
    assert made.lost > 0

    (small_disk / "filler").unlink()
    assert made.flush()
    ref = made.blob(b"there is room again")
    made.span(Span("a" * 32, "f" * 16, "chat", attributes={semconv.REF + "x": ref}))
    assert made.close()
    with TraceReader.open(made.path) as reader:
        *others, last, pending = reader.records(inline=True)
    assert last.span.attributes == {"x": b"there is room again"}
    assert pending.pending
    assert len(others) + made.lost == 50


def test_a_blob_that_was_dropped_is_written_when_it_comes_again(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(256 << 10))
    made = started(small_disk / "trace.zst", backlog=0)
    made.flush()
    parts = [made.element(b'"one"'), made.element(b'"two"')]
    made.list_(parts)
    assert not made.has(parts[0])

    (small_disk / "filler").unlink()
    parts = [made.element(b'"one"'), made.element(b'"two"')]
    ref = made.list_(parts)
    assert made.close()
    with TraceReader.open(made.path) as reader:
        assert reader.resolve(ref) == '["one","two"]'


def test_a_writer_may_rest_and_go_on(path: Path) -> None:
    made = started(path, compact=True)
    made.rest()
    assert path.stat().st_size > 0
    ref = made.text("after the rest")
    assert made.close()
    made.rest()

    with TraceReader.open(path) as reader:
        assert reader.resolve(ref) == "after the rest"
        assert (reader.closed_properly, reader.problems) == (True, [])


def test_what_a_rest_could_not_write_gets_to_the_disk_when_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = started(path, flush_interval=0.01)
    wait_until(lambda: not made._timer.armed)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing)
        made.rest()
        assert made.blocked is made.problem is not None
    wait_until(lambda: made.problem is None)

    assert made.blocked is None
    assert made.close()
