from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest

from traceproof.proxy.authority import Authority, open_authority
from traceproof.proxy.trust import REPLACING, write_trust


def count(path: Path) -> int:
    return path.read_bytes().count(b"-----BEGIN CERTIFICATE-----")


def test_the_bundles_hold_the_machines_roots_the_environments_and_ours(
    tmp_path: Path, authority: Authority, company: Authority
) -> None:
    named = tmp_path / "company.pem"
    named.write_bytes(b"# a comment\n" + company.pem + company.pem)
    bare = write_trust(tmp_path, {}, authority.pem)

    files = write_trust(tmp_path, dict.fromkeys(REPLACING, str(named)), authority.pem)

    assert count(files.roots) == count(bare.roots) + 1
    assert company.pem.strip() in files.roots.read_bytes()
    assert authority.pem.strip() not in files.roots.read_bytes()
    assert files.bundle.read_bytes() == files.roots.read_bytes() + authority.pem
    assert files.extra.read_bytes() == authority.pem
    ssl.create_default_context(cafile=files.bundle)


def test_nodes_extra_certificates_are_merged(
    tmp_path: Path, authority: Authority, company: Authority
) -> None:
    named = tmp_path / "company.pem"
    named.write_bytes(company.pem)

    files = write_trust(tmp_path, {"NODE_EXTRA_CA_CERTS": str(named)}, authority.pem)

    assert files.extra.read_bytes() == company.pem + authority.pem
    assert company.pem.strip() in files.roots.read_bytes()


def test_a_key_in_a_bundle_is_left_where_it_is(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "other"
    other = open_authority(folder)
    with_key = folder / "traceproof-ca.pem"

    files = write_trust(tmp_path, {"SSL_CERT_FILE": str(with_key)}, authority.pem)

    assert other.pem.strip() in files.bundle.read_bytes()
    assert b"PRIVATE" not in files.bundle.read_bytes() + files.roots.read_bytes()


def test_a_bundle_that_is_not_there_is_left_out_and_noted(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "traceproof.proxy")

    files = write_trust(tmp_path, {"SSL_CERT_FILE": "/nonexistent.pem"}, authority.pem)

    assert count(files.roots) > 0
    assert "/nonexistent.pem" in caplog.text


def test_the_same_bundles_are_the_same_files(tmp_path: Path, authority: Authority) -> None:
    assert write_trust(tmp_path, {}, authority.pem) == write_trust(tmp_path, {}, authority.pem)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_unwritable_folder_is_an_oserror(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(OSError, match="missing"):
        write_trust(tmp_path / "missing", {}, authority.pem)


def test_a_bundle_that_came_with_the_folder_is_not_believed(
    tmp_path: Path, authority: Authority, company: Authority
) -> None:
    files = write_trust(tmp_path, {}, authority.pem)
    files.roots.write_bytes(company.pem)
    files.extra.unlink()
    files.extra.symlink_to(files.roots)

    again = write_trust(tmp_path, {}, authority.pem)

    assert company.pem.strip() not in again.roots.read_bytes()
    assert again.extra.read_bytes() == authority.pem
    assert not again.extra.is_symlink()
