"""The emulated eSCL scanner's knobs: how bodies travel, who gets in, sheets, presets."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sane.testing.escl import (
    Delivery,
    Emulator,
    Profile,
    Range,
    Scanner,
    Source,
    feeder_model,
    model,
    pixels,
)
from sane.testing.escl.certificates import KINDS, authority_of, server_context
from sane.testing.escl.configuration import apply
from sane.testing.escl.presets import PRESETS
from tests import ROOT
from tests.conftest import ABSENT
from tests.support.escl_host import NAMESPACES, ask, begin, page, png_pixels, post, ticket

FORMATS = (model.JPEG, model.PNG, model.PDF)
PLAIN = pixels.reference("Grayscale8", 75, (0, 0, 30, 20))


@pytest.fixture
def device() -> Iterator[Emulator]:
    source = Source(profiles=(Profile(formats=FORMATS),))
    with Emulator(Scanner(feeder_model(platen=source, adf=source, duplex=source))) as emulator:
        yield emulator


@pytest.mark.parametrize("framing", ["sized", "chunked", "closed"])
def test_a_body_in_every_framing(device: Emulator, framing: str) -> None:
    device.scanner.pages.delivery = Delivery(framing)
    answer = page(device, begin(device))
    assert png_pixels(answer.body) == PLAIN
    told = answer.header("Content-Length"), answer.header("Transfer-Encoding")
    size = str(len(answer.body))
    assert told == {"sized": (size, None), "chunked": (None, "chunked")}.get(framing, (None, None))


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ({"framing": "sized", "declared": 7}, True),
        ({"framing": "chunked", "has_end": False}, True),
        ({"framing": "sized", "reset_at": 50}, False),
        ({"framing": "chunked", "reset_at": 0}, False),
    ],
)
def test_a_body_that_breaks_off(device: Emulator, words: dict[str, Any], left: bool) -> None:
    device.scanner.pages.delivery = Delivery(**words)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        page(device, begin(device))
    assert device.log.wait_for("document").is_whole is left


def test_a_body_that_is_shorter_than_it_is(device: Emulator) -> None:
    device.scanner.pages.delivery = Delivery("sized", declared=-7)
    assert page(device, begin(device)).body.endswith(b"IDAT") is False
    assert device.log.wait_for("document").sent > 100


def test_a_body_that_stalls_until_the_host_goes(device: Emulator) -> None:
    device.scanner.pages.delivery = Delivery("sized", stall_at=50)
    job = begin(device)
    with socket.create_connection(device.address, 10) as link:
        link.sendall(f"GET {job.partition('/eSCL')[1]}".encode())
        path = job[job.index("/eSCL") :]
        link.sendall(f"{path[5:]}/NextDocument HTTP/1.1\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 50:
            data += link.recv(4096)
    exchange = device.log.wait_for("document")
    assert (exchange.sent, exchange.is_whole) == (50, False)


def test_a_body_that_comes_slowly_and_late(device: Emulator) -> None:
    device.scanner.pages.deliveries = [Delivery(delay=0.1), Delivery("sized", rate=5000)]
    device.scanner.load(2)
    job = begin(device, ticket("Feeder"))
    page(device, job)
    exchange = device.log.wait_for("document")
    assert exchange.done - exchange.replied > 0.09
    page(device, job)
    exchange = device.log.wait_for("document", 2)
    assert exchange.done - exchange.replied >= exchange.sent / 5000 * 0.9


@pytest.mark.parametrize(
    ("words", "kind", "start"),
    [
        ({"content_type": ""}, None, b"\x89PNG"),
        ({"content_type": "image/jpeg"}, "image/jpeg", b"\x89PNG"),
        ({"is_empty": True}, model.PNG, b""),
        ({"is_multipart": True}, "multipart/related; boundary=emulated", b"--emulated\r\n"),
    ],
)
def test_a_body_of_another_type(
    device: Emulator, words: dict[str, Any], kind: str | None, start: bytes
) -> None:
    device.scanner.pages.delivery = Delivery(**words)
    answer = page(device, begin(device))
    assert answer.header("Content-Type") == kind
    assert answer.body[: len(start) or None] == start


@pytest.mark.parametrize("status", [404, 410, 503])
def test_a_page_that_is_not_ready_yet(device: Emulator, status: int) -> None:
    device.scanner.pages.not_ready, device.scanner.pages.not_ready_status = 2, status
    job = begin(device)
    assert [page(device, job).status for _ in range(3)] == [status, status, 200]


def test_redirects(device: Emulator) -> None:
    device.scanner.access.roots.append("/other")
    device.scanner.access.redirects = {"capabilities": (302, "/other/ScannerCapabilities")}
    answer = ask(device, "GET", "ScannerCapabilities")
    assert (answer.status, answer.header("Location")) == (302, "/other/ScannerCapabilities")
    assert ask(device, "GET", "/other/ScannerStatus").status == 200


def test_the_rules_of_ipp_usb(device: Emulator) -> None:
    device.scanner.access.host, device.scanner.access.initialising = "proxy", 1
    port = device.address[1]
    local = f"localhost:{port}"
    assert ask(device, "GET", "ScannerStatus", Host=local).status == 503  # is not ready yet
    assert ask(device, "GET", "ScannerStatus", Host=local).status == 200
    moved = ask(device, "GET", "ScannerStatus")
    assert (moved.status, moved.header("Location")) == (302, f"http://{local}/eSCL/ScannerStatus")
    assert post(device).status == 400  # the scanner refuses it, as OKI's do
    assert post(device, Host=local).status == 201
    assert ask(device, "GET", "ScannerStatus", Host=local, Upgrade="TLS/1.0").status == 503
    assert ask(device, "CONNECT", "ScannerStatus", Host=local).status == 405


def test_one_request_at_a_time(device: Emulator) -> None:
    device.scanner.access.at_once, device.scanner.timing.page = 1, 0.3
    job = begin(device)
    with socket.create_connection(device.address, 10) as link:
        link.sendall(f"GET {job[job.index('/eSCL') :]}/NextDocument HTTP/1.0\r\n\r\n".encode())
        assert link.recv(1)
        assert ask(device, "GET", "ScannerStatus").status == 200
        document, status = device.log.of("document")[0], device.log.of("status")[0]
        assert status.replied >= document.done > 0


def test_basic_authentication(device: Emulator) -> None:
    knobs = device.scanner.access
    knobs.scheme, knobs.user, knobs.password = "basic", "ann", "secret"
    refused = ask(device, "GET", "ScannerStatus")
    assert (refused.status, refused.header("WWW-Authenticate")) == (401, 'Basic realm="scanner"')
    for secret, status in ((b"ann:secret", 200), (b"ann:wrong", 401)):
        word = "Basic " + base64.b64encode(secret).decode()
        assert ask(device, "GET", "ScannerStatus", Authorization=word).status == status


@pytest.mark.parametrize(("algorithm", "kind"), [("MD5", "md5"), ("SHA-256", "sha256")])
def test_digest_authentication(device: Emulator, algorithm: str, kind: str) -> None:
    knobs = device.scanner.access
    knobs.scheme, knobs.user, knobs.password, knobs.algorithm = "digest", "ann", "pw", algorithm

    def hashed(text: str) -> str:
        return hashlib.new(kind, text.encode()).hexdigest()

    told = ask(device, "GET", "ScannerStatus").header("WWW-Authenticate") or ""
    nonce = re.findall('nonce="(.*?)"', told)[0]
    first, second = hashed("ann:scanner:pw"), hashed("GET:/eSCL/ScannerStatus")
    proof = hashed(f"{first}:{nonce}:00000001:abc:auth:{second}")
    word = (
        f'Digest username="ann", realm="scanner", nonce="{nonce}", uri="/eSCL/ScannerStatus", '
        f'response="{proof}", qop=auth, nc=00000001, cnonce="abc", algorithm={algorithm}'
    )
    assert ask(device, "GET", "ScannerStatus", Authorization=word).status == 200
    word = word.replace(proof, proof[::-1])
    assert ask(device, "GET", "ScannerStatus", Authorization=word).status == 401


@pytest.mark.parametrize("kind", KINDS)
def test_certificates(kind: str, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip(f"{ABSENT}openssl")
    anybody = ssl._create_unverified_context()
    if kind == "old":
        with pytest.warns(DeprecationWarning):
            anybody.minimum_version = ssl.TLSVersion.TLSv1
    anybody.set_ciphers("ALL:@SECLEVEL=0")
    with Emulator(Scanner(), tls=server_context(kind, tmp_path)) as device:
        assert ask(device, "GET", "ScannerStatus", tls=anybody).status == 200
        strict = ssl.create_default_context(cafile=str(authority_of(tmp_path)[0]))
        if kind == "trusted":
            assert ask(device, "GET", "ScannerStatus", tls=strict).status == 200
            return
        words = {"expired": "expired|self-signed", "old": "protocol|version|unsupported|self"}
        with pytest.raises(ssl.SSLError, match=f"(?i){words.get(kind, 'self-signed')}"):
            ask(device, "GET", "ScannerStatus", tls=strict)


def test_all_sheets_in_one_document(device: Emulator) -> None:
    device.scanner.load(3)
    device.scanner.pages.in_one = True
    job = begin(device, ticket("Feeder", mime=model.PDF))
    assert b"/Count 3" in page(device, job).body
    assert page(device, job).status == 404


@pytest.mark.parametrize(
    ("more", "lines", "scale", "size"), [(1, -1, 1, (31, 19)), (0, 0, 0.5, (15, 10))]
)
def test_a_page_of_another_size(
    device: Emulator, more: int, lines: int, scale: float, size: tuple[int, int]
) -> None:
    knobs = device.scanner.pages
    knobs.more_px, knobs.more_lines, knobs.scale = more, lines, scale
    data = page(device, begin(device)).body
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == size


# Capabilities


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_tells_what_it_can(name: str) -> None:
    scanner = PRESETS[name]()
    with Emulator(scanner) as device:
        host = f"localhost:{device.address[1]}"
        answer = ask(device, "GET", "ScannerCapabilities", Host=host)
        root = ElementTree.fromstring(answer.body)
        assert scanner.model.name in answer.text
        assert root[-1].tag.rpartition("}")[2] != "Deep"


@pytest.mark.parametrize("syntax", model.SYNTAXES)
def test_resolutions_in_every_syntax(device: Emulator, syntax: str) -> None:
    profile = Profile(resolutions=((200, 100), 300, 600), syntax=syntax)
    device.scanner.model.platen = Source(profiles=(profile,))
    text = ask(device, "GET", "ScannerCapabilities").text
    text = text[text.index("<scan:Platen>") : text.index("</scan:Platen>")]
    assert text.count("<scan:SupportedResolutions>") == (2 if syntax == "by-mode" else 1)
    assert ("<scan:DiscreteResolutions>" in text) is (syntax in ("discrete", "both", "by-mode"))
    has_range = syntax in ("range", "range-flat", "range-empty", "both")
    assert ("<scan:XResolutionRange><scan:Min>200" in text) is has_range
    assert ("<scan:ResolutionRange/>" in text) is (syntax == "range-empty")


@pytest.mark.parametrize(
    ("words", "start", "holds"),
    [
        ({"prefixes": "other"}, b"<?xml", b"<e:ScannerCapabilities xmlns:sm="),
        ({"prefixes": "default"}, b"<?xml", b"<ScannerCapabilities xmlns"),
        ({"doctype": "<!DOCTYPE x>"}, b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE', b""),
        ({"encoding": "utf-8-sig"}, b"\xef\xbb\xbf<?xml", b""),
        ({"encoding": "utf-16"}, b"\xff\xfe<\0?\0", b""),
        ({"pad_bytes": 1 << 21}, b"<?xml", b" " * (1 << 21)),
        ({"depth": 100}, b"<?xml", b"<scan:Deep>" * 100),
        ({"verbatim": b"nothing"}, b"nothing", b""),
        ({"replaced": [("ScanBox", "<b>")]}, b"<?xml", b"Example <b> 100"),
    ],
)
def test_capabilities_written_otherwise(
    device: Emulator, words: dict[str, Any], start: bytes, holds: bytes
) -> None:
    for name, value in words.items():
        setattr(device.scanner.writing, name, value)
    body = ask(device, "GET", "ScannerCapabilities").body
    assert body.startswith(start) and holds in body


def test_ranges_and_shared_profiles(device: Emulator) -> None:
    told = device.scanner.model
    told.ranges = {"Contrast": Range(-127, 127, 0), "Brightness": Range(0, 2000, prefix="")}
    told.platen = Source(profiles=(Profile(ref="p1"),))
    text = ask(device, "GET", "ScannerCapabilities").text
    assert "<scan:ContrastSupport><scan:Min>-127<" in text
    assert "<scan:BrightnessSupport><Min>0</Min><Max>2000</Max><Step>1<" in text
    assert text.count('<scan:SettingProfile name="p1">') == 1
    assert text.count('<scan:SettingProfile ref="p1"/>') == 1


def test_capabilities_packed_if_the_host_wants(device: Emulator) -> None:
    device.scanner.writing.is_gzip = True
    answer = ask(device, "GET", "ScannerCapabilities", Accept_Encoding="gzip")
    assert (answer.header("Content-Encoding"), answer.body[:2]) == ("gzip", b"\x1f\x8b")
    assert ask(device, "GET", "ScannerCapabilities").body.startswith(b"<?xml")


def test_habits_of_devices() -> None:
    with Emulator(PRESETS["hp-2540"]()) as device:
        split = ticket(mime=model.JPEG).replace(b" xmlns:scan", b"\nxmlns:scan")
        assert post(device, split).status == 400
        assert (
            post(device, ticket(mime=model.JPEG)).header("Location", "")[:16] == "http://HPDJ2540:"
        )
    with Emulator(PRESETS["canon-mf410"]()) as device:
        assert post(device, ticket("Feeder", mime=model.JPEG)).status == 409
        assert "ScannerAdfJam" in ask(device, "GET", "ScannerStatus").text
    with Emulator(PRESETS["hp-m630"]()) as device:
        assert post(device, ticket(mime=model.JPEG)).status == 400
        assert post(device, ticket(mime=model.JPEG), Host="localhost").status == 201
    with Emulator(PRESETS["canon-d570"]()) as device:
        answer = ask(device, "DELETE", begin(device, ticket(mime=model.JPEG)))
        assert (answer.status, answer.header("Location")) == (301, "https://localhost:443/")


def test_a_feeder_loses_what_is_asked_for_too_early(device: Emulator) -> None:
    device.scanner.timing.early = 5.0
    device.scanner.load(3)
    job = begin(device, ticket("Feeder"))
    assert [page(device, job).status for _ in range(2)] == [200, 500]
    assert len(device.scanner.sheets) == 1


def test_it_stays_busy_while_the_connection_is_kept(device: Emulator) -> None:
    device.scanner.timing.kept = 10.0
    job = begin(device)
    with socket.create_connection(device.address, 10) as link:
        head = f"GET {job[job.index('/eSCL') :]}/NextDocument HTTP/1.1\r\n\r\n".encode()
        link.sendall(head)
        while b"IEND" not in link.recv(1 << 16):
            pass
        device.log.wait_for("document")
        end = time.monotonic() + 5
        while "Processing" not in ask(device, "GET", "ScannerStatus").text.partition("Jobs")[0]:
            assert time.monotonic() < end
    end = time.monotonic() + 5
    while "Idle" not in ask(device, "GET", "ScannerStatus").text:
        assert time.monotonic() < end


# Configuration


def test_knobs_as_json(device: Emulator) -> None:
    text = """{
        "sheets": 2, "is_jammed": true, "jobs": {"location": "usb"},
        "model": {"name": "X", "adf": {"max_height": 5, "profiles": [{"resolutions": [[1, 2], 3]}]},
                  "duplex": null, "ranges": {"Gamma": {"low": 1, "high": 9}}},
        "pages": {"deliveries": [{"framing": "sized"}]},
        "script": {"jobs": [503, {"status": 201, "headers": {"Location": "x"}, "body": "b"}, null]},
        "access": {"redirects": {"status": [302, "/x"]}}
    }"""
    scanner = device.scanner
    apply(scanner, json.loads(text))
    assert (len(scanner.sheets), scanner.is_jammed, scanner.jobs.location) == (2, True, "usb")
    assert scanner.model.adf and scanner.model.adf.max_height == 5
    assert scanner.model.adf.profiles[0].resolutions == ((1, 2), 3)
    assert scanner.model.duplex is None and scanner.model.ranges["Gamma"].high == 9
    assert scanner.pages.deliveries == [Delivery("sized")]
    assert post(device).status == 503
    assert post(device).body == b"b"
    assert ask(device, "GET", "ScannerStatus").status == 302


@pytest.mark.parametrize(
    "knobs",
    [
        {"nothing": 1},
        {"jobs": {"nothing": 1}},
        {"jobs": {"location": "nowhere"}},
        {"script": {"nothing": [1]}},
        {"model": {"platen": {"profiles": [{"nothing": 1}]}}},
        {"pages": {"delivery": {"framing": "nothing"}}},
    ],
)
def test_knobs_that_are_none(device: Emulator, knobs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nothing|nowhere"):
        apply(device.scanner, knobs)


def test_the_program_is_controlled_by_lines() -> None:
    command = [sys.executable, "-m", "sane.testing.escl", "--port", "0", "--control", "--trace"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdin and program.stdout and program.stderr
        url = program.stderr.readline().strip()
        host, port = url.split("/")[2].split(":")
        link = http.client.HTTPConnection(host, int(port), timeout=10)
        link.request("GET", "/eSCL/ScannerStatus")
        assert link.getresponse().read()
        link.close()
        assert "GET /eSCL/ScannerStatus 200" in program.stderr.readline()
        print('{"jobs": {"location": "usb"}}', file=program.stdin, flush=True)
        told = json.loads(program.stdout.readline())
        assert [entry["request"] for entry in told["log"]] == ["GET /eSCL/ScannerStatus"]
        print('{"jobs": {"x": 1}}', file=program.stdin, flush=True)
        assert json.loads(program.stdout.readline()) == {"error": "no knob jobs.x"}
        program.stdin.close()
        assert program.wait(10) == 0


def test_namespaces_of_the_host_are_those_of_the_device(device: Emulator) -> None:
    assert NAMESPACES in ask(device, "GET", "ScannerCapabilities").text
