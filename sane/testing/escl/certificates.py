"""Certificates as scanners have them: self-signed, expired, for another name. Made by openssl.

Source: openssl-req(1), openssl-x509(1); specification escl, section 8.1.
"""

from __future__ import annotations

import ipaddress
import ssl
import subprocess
import warnings
from pathlib import Path

KINDS = (
    "self-signed",  # for the host
    "expired",
    "wrong-name",  # for another host
    "trusted",  # signed by the authority in authority.pem of the folder
    "old",  # self-signed, and the device speaks TLS 1.0 and 1.1 only
)
DAYS = 3650
PAST = ("20200101000000Z", "20210101000000Z")


def server_context(kind: str, folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """Return what an Emulator at *host* needs to speak TLS; the files are made in *folder*."""
    if kind not in KINDS:
        raise ValueError(f"certificate {kind!r}: none of {', '.join(KINDS)}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():  # Python has a low opinion of these
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(make(kind, folder, host))
    return context


def make(kind: str, folder: Path, host: str) -> Path:
    """Return a file in *folder* with a key and a certificate of *kind* for *host*."""
    name = "scanner.invalid" if kind == "wrong-name" else host
    path = folder / f"{kind}.pem"
    key, request, certificate = (folder / f"{kind}.{end}" for end in ("key", "csr", "crt"))
    subject = ("-subj", "/CN=Emulated scanner")
    run("req", "-new", *new_key(key), *subject, "-out", request)
    settings = folder / f"{kind}.cnf"
    settings.write_text(f"subjectAltName={_alternative(name)}\nbasicConstraints=CA:FALSE\n")
    signed: list[str | Path] = ["-in", request, "-out", certificate, "-extfile", settings]
    if kind == "trusted":
        with settings.open("a") as file:
            file.write("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        authority, authority_key = authority_of(folder)
        signer: list[str | Path] = ["-CA", authority, "-CAkey", authority_key, "-CAcreateserial"]
        run("x509", "-req", "-days", str(DAYS), *signer, *signed)
    elif kind == "expired":
        _sign_in_the_past(folder, key, signed)
    else:
        run("x509", "-req", "-days", str(DAYS), "-signkey", key, *signed)
    path.write_bytes(key.read_bytes() + certificate.read_bytes())
    return path


def authority_of(folder: Path) -> tuple[Path, Path]:
    """Return the certificate and the key of the folder's own authority; made at the first call."""
    certificate, key = folder / "authority.pem", folder / "authority.key"
    if not certificate.exists():
        subject = ("-subj", "/CN=Emulated authority")
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # Python 3.13 asks for it
        made = ("-days", str(DAYS), *new_key(key), "-out", certificate)
        run("req", "-x509", *made, *subject, *usage)
    return certificate, key


def new_key(path: Path) -> tuple[str | Path, ...]:
    """Return the words that let openssl make a key without a password in *path*."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    return (*curve, "-nodes", "-keyout", path)


def _sign_in_the_past(folder: Path, key: Path, signed: list[str | Path]) -> None:
    """Sign with dates, which openssl x509 cannot before 3.4: by openssl ca, its own database."""
    database = folder / "database"
    database.write_text("")
    settings = folder / "ca.cnf"
    settings.write_text(
        "[ca]\ndefault_ca=own\n[own]\n"
        f"database={database}\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\n"
        "policy=any\n[any]\ncommonName=supplied\n"
    )
    dates = ("-startdate", PAST[0], "-enddate", PAST[1])
    fixed = ("-batch", "-notext", "-selfsign", "-config", settings)
    run("ca", *fixed, "-keyfile", key, *dates, *signed)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def run(*words: str | Path) -> None:
    """Run openssl; raises RuntimeError with what it says when it fails."""
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.strip()}")
