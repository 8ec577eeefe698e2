"""eSCL scanners that are locked: certificates and their keys, HTTPS, passwords.

The rows are those of specification escl 10.
"""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path

import pytest

from sane import errors
from sane.backends.escl.access import Keys
from sane.config import Environment
from sane.debug import Debug
from sane.testing.escl import Scanner
from sane.testing.escl.certificates import authority_of, server_context
from sane.transport.failures import Untrusted
from tests.support.escl import Desk, png_model
from tests.support.handles import page

KEY = "a" * 64


def scanner() -> Scanner:
    return Scanner(png_model())


# TLS


def test_row_33_any_certificate_will_do_unless_it_is_to_be_verified(tmp_path: Path) -> None:
    for kind in ("self-signed", "expired", "wrong-name"):
        context = server_context(kind, tmp_path)
        for policy in ("off", "warn"):
            conf = f"tls-verify {policy}\n"
            with Desk(tls=context, folder=tmp_path, conf=conf, HOME=str(tmp_path / kind)) as desk:
                page(desk.open())
        with (
            Desk(tls=context, folder=tmp_path, conf="tls-verify system\n") as desk,
            pytest.raises(Untrusted),
        ):
            desk.open()


def test_row_33_a_key_that_changes_is_noted_or_refused(tmp_path: Path) -> None:
    def opened(context: ssl.SSLContext, policy: str, port: int) -> int:
        conf = f"tls-verify {policy}\n"
        with Desk(tls=context, folder=tmp_path, conf=conf, HOME=str(tmp_path)) as desk:
            url = desk.device.url
            keys = Keys.of(Environment({"HOME": str(tmp_path)}), Debug("x", Environment({})))
            if port:
                known = keys.known(f"127.0.0.1:{port}")
                keys.note(f"127.0.0.1:{desk.device.address[1]}", known)
            desk.open(url)
            return desk.device.address[1]

    first, second = (server_context("self-signed", tmp_path / name) for name in made(tmp_path))
    port = opened(first, "pin", 0)
    opened(first, "pin", port)
    opened(second, "warn", port)
    with pytest.raises(Untrusted):
        opened(second, "pin", port)


def made(folder: Path) -> list[str]:
    for name in ("one", "two"):
        (folder / name).mkdir()
    return ["one", "two"]


def test_row_33_a_key_that_cannot_be_kept_is_refused_when_it_is_to_be(tmp_path: Path) -> None:
    context = server_context("self-signed", tmp_path)
    with (
        Desk(tls=context, folder=tmp_path, conf="tls-verify pin\n") as desk,
        pytest.raises(Untrusted, match="cannot be kept"),
    ):
        desk.open()


def test_keys_are_kept_for_this_user_alone(tmp_path: Path) -> None:
    keys = Keys.of(Environment({"HOME": str(tmp_path)}), Debug("x", Environment({})))
    keys.check("scanner", KEY, "warn")
    keys.check("other box", KEY.replace("a", "b"), "pin")
    assert keys.known("scanner") == KEY and keys.known("other box") == "b" * 64
    assert os.stat(keys.path).st_mode & 0o777 == 0o600
    Path(keys.path).write_text("garbage\nscanner short\n")
    assert keys.known("scanner") == ""


def test_row_33_https_may_be_required(tmp_path: Path) -> None:
    with Desk(host="127.0.0.1", folder=tmp_path, conf="https require\n") as desk:
        with pytest.raises(errors.AccessDenied, match="not encrypted"):
            desk.open("http://192.0.2.1/eSCL")
        page(desk.open())  # on this machine nobody listens


def test_row_33_no_way_from_https_to_http_where_it_is_required(tmp_path: Path) -> None:
    context = server_context("self-signed", tmp_path)
    plain = Desk()
    with plain, Desk(tls=context, folder=tmp_path, conf="https require\n") as desk:
        place = f"{plain.device.origin}/eSCL/ScannerCapabilities"
        desk.scanner.access.redirects["capabilities"] = 302, place
        with pytest.raises(errors.DeviceIOError, match="anybody could listen"):
            desk.open()


def test_row_33_old_tls_only_where_it_is_allowed(tmp_path: Path) -> None:
    context = server_context("old", tmp_path)
    with Desk(tls=context) as desk, pytest.raises(errors.DeviceIOError):
        desk.open()
    with Desk(tls=context, folder=tmp_path) as desk:
        (tmp_path / "escl.conf").write_text(f"{desk.device.url} tls-min=1.0\n")
        desk.backend.init()
        try:
            name = desk.backend.name_of(desk.backend.places[0])
            page(desk.open(name))
        except errors.DeviceIOError as exc:
            pytest.skip(f"this OpenSSL speaks no TLS 1.0: {exc}")


def test_a_certificate_of_an_authority_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_context("trusted", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_of(tmp_path)[0]))
    with Desk(tls=context, folder=tmp_path, conf="tls-verify system\n") as desk:
        page(desk.open())


# Passwords


@pytest.mark.parametrize(
    ("scheme", "algorithm"), [("basic", ""), ("digest", "MD5"), ("digest", "SHA-256")]
)
def test_a_password_is_asked_for_once(scheme: str, algorithm: str) -> None:
    device = scanner()
    device.access.scheme, device.access.algorithm = scheme, algorithm or "MD5"
    device.access.user, device.access.password = "ann", "secret"
    asked: list[str] = []

    def authorize(resource: str) -> tuple[str, str]:
        asked.append(resource)
        return "ann", "secret"

    with Desk(device, authorize=authorize) as desk:
        page(desk.open())
        assert asked == [f"escl:{desk.device.url}:scanner"]


def test_a_password_that_only_jobs_want_is_asked_for_by_the_frontends_thread() -> None:
    device = scanner()
    threads: list[int] = []

    def authorize(_resource: str) -> tuple[str, str]:
        threads.append(threading.get_ident())
        return "ann", "secret"

    with Desk(device, authorize=authorize) as desk:
        handle = desk.open()
        device.access.scheme, device.access.user, device.access.password = "basic", "ann", "secret"
        page(handle)
        assert threads == [threading.get_ident()]


def test_a_wrong_password_and_none(tmp_path: Path) -> None:
    device = scanner()
    device.access.scheme, device.access.user, device.access.password = "basic", "ann", "secret"
    with (
        Desk(device, authorize=lambda _resource: ("ann", "wrong")) as desk,
        pytest.raises(errors.AccessDenied, match="refuses the password"),
    ):
        desk.open()
    device = scanner()
    device.access.scheme, device.access.user, device.access.password = "basic", "ann", "secret"
    with Desk(device, folder=tmp_path) as desk:
        with pytest.raises(errors.AccessDenied, match="no authorization"):
            desk.open()
        (tmp_path / "escl.conf").write_text(f"{desk.device.url} user=ann password=secret\n")
        desk.backend.init()
        page(desk.open(desk.backend.name_of(desk.backend.places[0])))
