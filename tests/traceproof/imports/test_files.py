from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from traceproof.imports import files
from traceproof.imports.files import TranscriptFile
from traceproof.proxy.dialects import wire


def opened(tmp_path: Path, data: bytes) -> TranscriptFile:
    path = tmp_path / "transcript"
    path.write_bytes(data)
    return TranscriptFile(path, wire.Notes())


def test_lines_that_are_no_objects_are_counted_and_left_out(tmp_path: Path) -> None:
    data = b'{"a":1}\n\n  \nnull\n\x00\x00\n{"b":"\xff\\ud800"}\n{"c":'
    file = opened(tmp_path, data)

    assert list(file.records()) == [{"a": 1}, {"b": "\ufffd\ufffd"}]
    assert file.notes.lines() == ["a line is no JSON object (2 times)", "the last line is cut off"]
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_line_beyond_all_measure_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LINE", 100)
    file = opened(tmp_path, b'{"a":"%s"}\n{"b":1}\n{"c":"%s"}' % (b"x" * 5000, b"y" * 5000))

    assert list(file.records()) == [{"b": 1}]
    assert file.notes.lines() == ["a line of more than 100 bytes was left out (2 times)"]


def test_what_is_added_while_it_is_read_is_left_for_the_next_time(tmp_path: Path) -> None:
    file = opened(tmp_path, b'{"a":1}\n')
    with file.path.open("ab") as more:
        more.write(b'{"b":2}\n')

    assert list(file.records()) == [{"a": 1}]


def test_how_far_it_has_come_is_told(tmp_path: Path) -> None:
    file, told = opened(tmp_path, b'{"a":1}\n{"b":2}'), list[int]()
    file.progress = told.append

    list(file.records())

    assert told == [8, 15]


def test_a_document_gives_its_lists_element_by_element(tmp_path: Path) -> None:
    value = {"name": "x", "list": [{"a": 1}, [2], "3"], "nothing": None, "odd": 5}
    document = opened(tmp_path, json.dumps(value, indent=1).encode()).document

    assert document.names() == set(value)
    assert (document.get("name"), document.get("nothing"), document.get("gone")) == (
        "x",
        None,
        None,
    )
    assert list(document.elements("list")) == [{"a": 1}, [2], "3"]
    assert list(document.elements("odd")) == []
    assert list(document.elements("gone")) == []


def test_of_a_document_that_is_cut_off_what_is_whole_is_there(tmp_path: Path) -> None:
    text = json.dumps({"name": "x", "list": [{"a": "]}"}, {"b": 2}, {"c": "long" * 10}]})
    file = opened(tmp_path, text[:-20].encode())

    document = file.document

    assert {"name", "list"} <= document.names()
    assert document.get("name") == "x"
    assert list(document.elements("list")) == [{"a": "]}"}, {"b": 2}]
    assert file.notes.lines() == [
        "the document is broken or cut off: what is whole was taken",
        "the last of list is cut off",
    ]


def test_what_is_no_object_is_refused_in_one_line(tmp_path: Path) -> None:
    file = opened(tmp_path, b"[1, 2]")

    with pytest.raises(ValueError, match="transcript: neither JSON Lines nor a JSON object"):
        _ = file.document


def test_a_document_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_DOCUMENT", 10)

    with pytest.raises(ValueError, match="one JSON document of 15 bytes is too large"):
        _ = opened(tmp_path, b'{"a":"1234567"}').document


def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match=f"{path}: a pipe or a device"):
            TranscriptFile(path, wire.Notes())
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        TranscriptFile(tmp_path, wire.Notes())
