"""What a repository's objects hold comes out byte for byte, or not at all."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from support.workspace import Project
from traceproof.recorder.git import Git
from traceproof.recorder.workspace.objects import Objects


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return Project(tmp_path / "work")


def put(project: Project, data: bytes) -> str:
    (project.folder / "content").write_bytes(data)
    return project.git("hash-object", "-w", "--no-filters", "content").strip()


def objects(project: Project) -> Objects:
    return Objects(Git(project.folder, project.environment, 60))


def test_one_after_the_other_as_they_are(project: Project) -> None:
    (project.folder / ".gitattributes").write_text("* text eol=crlf filter=loud\n")
    project.git("config", "filter.loud.smudge", "tr a-z A-Z")
    contents = [b"", b"one\ntwo\n", b"\0\xff\n" * 100_000, b"no end"]
    oids = [put(project, data) for data in contents]

    with objects(project) as opened:
        assert [opened.read(oid) for oid in oids] == contents


def test_what_is_not_there_or_no_file_is_an_error_and_the_next_is_read(project: Project) -> None:
    oid = put(project, b"here")
    project.git("commit", "-q", "--allow-empty", "-m", "one")
    commit = project.git("rev-parse", "HEAD").strip()

    with objects(project) as opened:
        with pytest.raises(LookupError, match="does not have"):
            opened.read("0" * 40)
        assert opened.read(oid) == b"here"
        with pytest.raises(LookupError, match="does not have"):
            opened.read(commit)


def test_what_is_not_what_its_name_says_is_an_error(project: Project) -> None:
    oid = put(project, b"true")
    place = project.folder / ".git" / "objects" / oid[:2] / oid[2:]
    place.chmod(0o600)
    place.write_bytes(zlib.compress(b"blob 5\0false"))
    assert hashlib.sha1(b"blob 5\0false").hexdigest() != oid

    with objects(project) as opened, pytest.raises(LookupError):
        opened.read(oid)
