"""The store's own certificate authority, trusted by the launched child alone.

One key, made once per store and used again; it never leaves its 0600 file. A store may have come
with a clone or an archive, and a key in it be known to somebody else: one that was not made in this
place, or that others could read, is not used. Certificates for hosts are made in memory. This
module opens no connection.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import logging
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from traceproof.proxy.hosts import is_address, plain
from traceproof.recorder.store import make_private

log = logging.getLogger("traceproof.proxy")

KEY_FILE = "traceproof-ca.pem"
CERTIFICATE_FILE = "traceproof-ca-cert.pem"
VALIDITY = timedelta(days=730)
RENEWAL = timedelta(days=30)
LEAF_VALIDITY = timedelta(days=90)
BACKDATED = timedelta(days=2)
"""Allowance for a child (a virtual machine, a container) whose clock is behind."""

MADE_WITHIN = 10.0
"""Seconds between a key's making and its file's last change; the kernel sets the latter's time."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority and the one key that all its leaves share."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    leaf_key: ec.EllipticCurvePrivateKey = field(
        repr=False, default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def pem(self) -> bytes:
        """The certificate, which holds no key."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, in the form in which people compare it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def issue(self, names: Iterable[str]) -> x509.Certificate:
        """Return a server certificate for host names and addresses (`leaf_key` goes with it)."""
        builder = _builder(x509.Name([]), self.certificate.subject, LEAF_VALIDITY)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            builder.public_key(self.leaf_key.public_key())
            .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=True)
            .add_extension(_SERVER, critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def open_authority(folder: Path) -> Authority:
    """Return the folder's authority, made there if it has none, an ending one or a foreign one.

    Two recordings that start at once get the same one.

    Raises:
        OSError: The folder or its files cannot be read or written, or the folder is a link.
        ValueError: The key file is not one of ours.
    """
    make_private(folder)
    with _locked(folder):
        path = folder / KEY_FILE
        authority = _load(path)
        if authority is None or _is_ending(authority):
            authority = _create()
            _store(path, _dump(authority))
        if not _holds(folder / CERTIFICATE_FILE, authority.pem):
            _store(folder / CERTIFICATE_FILE, authority.pem)
    return authority


def _create() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "traceproof")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, VALIDITY)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNING, critical=True)
        .add_extension(_SERVER, critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _load(path: Path) -> Authority | None:
    """Read the authority; None where there is none that only we can know."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        log.warning("%s is a link; the certificate authority is made anew", path)
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        authority = _parse(path, file.read())
    why = _distrust(authority, status)
    if why:
        log.warning("%s %s; the certificate authority is made anew", path, why)
    return None if why else authority


def _parse(path: Path, pem: bytes) -> Authority:
    try:
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        raise _not_ours(path) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise _not_ours(path)
    return Authority(certificate, key)


def _distrust(authority: Authority, status: os.stat_result) -> str:
    """Say why somebody else may know the key; empty if nobody does.

    Owner and mode tell nothing of a file that a clone or an archive brought, for both become those
    of whoever unpacks it. But nobody can foresee when that will be.
    """
    if status.st_uid != os.geteuid():
        return "is not ours"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return "could be read by others"
    made = authority.certificate.not_valid_before_utc + BACKDATED
    if abs(status.st_ctime - made.timestamp()) > MADE_WITHIN:
        return "was not made in this place"
    return ""


def _not_ours(path: Path) -> ValueError:
    return ValueError(
        f"{path} is not a certificate authority of traceproof; remove it to have one made"
    )


def _is_ending(authority: Authority) -> bool:
    return authority.certificate.not_valid_after_utc - RENEWAL < datetime.now(UTC)


def _dump(authority: Authority) -> bytes:
    key = authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key + authority.pem


def _store(path: Path, content: bytes) -> None:
    # mkstemp opens with O_EXCL and 0600: no reader ever sees a part of it, or may open it.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".ca-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink()
        raise


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(folder / ".lock", flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _builder(subject: x509.Name, issuer: x509.Name, valid: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + valid)
    )


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    return [
        x509.IPAddress(ipaddress.ip_address(name)) if is_address(name) else x509.DNSName(name)
        for name in dict.fromkeys(map(plain, names))
    ]


_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_SIGNING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
