"""The server's own certificate: made once, renewed with the same key, known by that key.

It knows X.509 by way of the library cryptography. Clients of eSCL take any certificate, and some
keep the key that they saw first. Source: specification escl 6.2; RFC 5280.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from typing import TYPE_CHECKING, Any

from .store.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAYS = 825
RENEW_DAYS = 60
MOST_NAME = 64  # of a common name


class CertificateError(Exception):
    """The administrator's certificate or key cannot be used."""


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return TLS 1.2 and later with these files; raises CertificateError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as exc:
        raise CertificateError(f"{certificate}, {key or 'no key'}: {exc}") from exc
    context.set_alpn_protocols(["http/1.1"])
    return context


def own_files(folder: Path, hosts: Sequence[str]) -> tuple[str, str]:
    """Return certificate and key in *folder* for *hosts*; made anew if need be."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    private = _key_of(key)
    if private is None:
        private = _new_key(key)
    if not _is_good(certificate, private, hosts):
        write_whole(str(certificate), _certificate(private, hosts), 0o644)
    return str(certificate), str(key)


def _key_of(path: Path) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None


def _new_key(path: Path) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = ec.generate_private_key(ec.SECP256R1())
    data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_whole(str(path), data)
    return private


def _is_good(path: Path, private: Any, hosts: Sequence[str]) -> bool:
    """Tell whether the file is of this key, for these hosts, and valid for some time."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    end = getattr(found, "not_valid_after_utc", None)  # of cryptography 42
    if end is None:
        end = found.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    left = end - datetime.datetime.now(datetime.timezone.utc)
    same_key = found.public_key().public_numbers() == private.public_key().public_numbers()  # type: ignore[union-attr]
    is_long = left > datetime.timedelta(days=RENEW_DAYS)
    return bool(same_key and is_long and set(names) >= set(_names(hosts)))


def _names(hosts: Sequence[str]) -> list[Any]:
    from cryptography import x509

    names: list[Any] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host.strip("[]"))))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _certificate(private: Any, hosts: Sequence[str]) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:MOST_NAME])])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM)
