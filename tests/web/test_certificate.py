"""The server's own certificate: made once, renewed with the same key."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="peer absent: the Python package cryptography")

from cryptography import x509

from sane.web import certificate

HOSTS = ["vm.local", "localhost", "192.0.2.7", "fd00::1"]


def loaded(files: tuple[str, str]) -> Any:
    return x509.load_pem_x509_certificate(Path(files[0]).read_bytes())


def test_it_names_the_machine_and_is_kept(tmp_path: Path) -> None:
    files = certificate.own_files(tmp_path, HOSTS)
    first = loaded(files)
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"vm.local", "localhost"}
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == HOSTS[2:]
    assert Path(files[1]).stat().st_mode & 0o777 == 0o600
    assert loaded(certificate.own_files(tmp_path, HOSTS[:2])) == first
    assert isinstance(certificate.server_context(*files), ssl.SSLContext)


def test_a_new_name_renews_it_with_the_same_key(tmp_path: Path) -> None:
    first = loaded(certificate.own_files(tmp_path, HOSTS))
    second = loaded(certificate.own_files(tmp_path, [*HOSTS, "scan.example.org"]))
    assert first != second
    assert first.public_key().public_numbers() == second.public_key().public_numbers()


def test_one_that_ends_soon_or_is_broken_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "DAYS", certificate.RENEW_DAYS - 1)
    first = loaded(certificate.own_files(tmp_path, HOSTS))
    monkeypatch.undo()
    second = loaded(certificate.own_files(tmp_path, HOSTS))
    assert first != second
    (tmp_path / "certificate.pem").write_text("broken")
    assert loaded(certificate.own_files(tmp_path, HOSTS)) not in (first, second)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("nonsense")
    with pytest.raises(certificate.CertificateError, match=r"a\.pem, no key"):
        certificate.server_context(str(tmp_path / "a.pem"), "")
