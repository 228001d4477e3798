from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

import traceproof.proxy.authority as module
from traceproof.proxy.authority import CERTIFICATE_FILE, KEY_FILE, open_authority

OPEN = """
import pathlib, sys
from traceproof.proxy.authority import open_authority
print(open_authority(pathlib.Path(sys.argv[1])).pem)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_once_and_used_again(tmp_path: Path) -> None:
    first = open_authority(tmp_path / "ca")
    second = open_authority(tmp_path / "ca")

    assert first.pem == second.pem
    assert first.certificate.subject.rfc4514_string() == "CN=traceproof"


def test_its_key_is_the_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        authority = open_authority(tmp_path / "ca")
    finally:
        os.umask(before)

    assert mode(tmp_path / "ca") == 0o700
    assert mode(tmp_path / "ca" / KEY_FILE) == 0o600
    certificate = (tmp_path / "ca" / CERTIFICATE_FILE).read_bytes()
    assert certificate == authority.pem
    assert b"PRIVATE" not in certificate
    assert "PrivateKey" not in repr(authority)


def test_a_key_that_others_could_read_is_made_anew(tmp_path: Path) -> None:
    old = open_authority(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)

    new = open_authority(tmp_path)

    assert new.pem != old.pem
    assert mode(tmp_path / KEY_FILE) == 0o600
    assert open_authority(tmp_path).pem == new.pem


def test_a_key_that_is_somebody_elses_is_made_anew(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.fail("this test gives a file to somebody else, for which it must be root")
    old = open_authority(tmp_path)
    os.chown(tmp_path / KEY_FILE, 12345, -1)

    assert open_authority(tmp_path).pem != old.pem
    assert (tmp_path / KEY_FILE).stat().st_uid == os.geteuid()


def test_a_key_that_is_a_link_is_made_anew(tmp_path: Path) -> None:
    other = open_authority(tmp_path / "other")
    before = (tmp_path / "other" / KEY_FILE).read_bytes()
    folder = tmp_path / "ca"
    folder.mkdir()
    (folder / KEY_FILE).symlink_to(tmp_path / "other" / KEY_FILE)

    assert open_authority(folder).pem != other.pem
    assert not (folder / KEY_FILE).is_symlink()
    assert (tmp_path / "other" / KEY_FILE).read_bytes() == before


def test_a_key_that_was_made_elsewhere_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever packed it into an archive knows it, and unpacking makes it ours with mode 0600."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "BACKDATED", module.BACKDATED + timedelta(minutes=1))
        packed = open_authority(tmp_path)

    assert open_authority(tmp_path).pem != packed.pem


@pytest.mark.parametrize("name", [".", ".lock"])
def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "ca" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "elsewhere" / ("" if name == "." else "victim"))

    with pytest.raises(OSError, match="ca"):
        open_authority(tmp_path / "ca")

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_processes_that_start_at_once_get_the_same_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path / "ca")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]

    assert len({process.communicate()[0] for process in processes}) == 1
    assert sorted(path.name for path in (tmp_path / "ca").iterdir()) == [
        ".lock",
        CERTIFICATE_FILE,
        KEY_FILE,
    ]


def test_one_that_is_about_to_end_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "VALIDITY", timedelta(days=29))
        old = open_authority(tmp_path)

    new = open_authority(tmp_path)

    assert new.pem != old.pem
    assert open_authority(tmp_path).pem == new.pem
    assert (tmp_path / CERTIFICATE_FILE).read_bytes() == new.pem


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)

    with pytest.raises(ValueError, match="is not a certificate authority of traceproof") as caught:
        open_authority(tmp_path)

    assert str(tmp_path / KEY_FILE) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_key_is_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    open_authority(one)
    certificate = open_authority(two).pem
    key = (one / KEY_FILE).read_bytes().split(b"-----BEGIN CERTIFICATE")[0]
    (one / KEY_FILE).write_bytes(key + certificate)

    with pytest.raises(ValueError, match="is not a certificate authority"):
        open_authority(one)


def test_a_folder_that_cannot_be_made_is_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        open_authority(tmp_path / "file" / "ca")


def test_a_certificate_names_hosts_and_addresses(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)

    leaf = authority.issue(["Api.Anthropic.com", "10.0.0.1", "::1", "api.anthropic.com."])

    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["api.anthropic.com", "10.0.0.1", "::1"]
    leaf.verify_directly_issued_by(authority.certificate)
    assert leaf.public_key() == authority.leaf_key.public_key()
    assert leaf.public_key() != authority.certificate.public_key()
