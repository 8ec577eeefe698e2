"""Requests as the clients of eSCL send them, to the running server with its guard."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from PIL import Image

from sane.web.encoders import JPEG, PDF, PNG
from tests import ROOT
from tests.conftest import PREFIX
from tests.support.share import Faults, Share, configure, needs_web, until_closed

RECORDED = ROOT / "tests" / "data" / "escl_clients"
STAGED = PREFIX / "lib" / "pysane"
END = re.compile(rb"\n%%\n")

pytestmark = pytest.mark.process


class Expected(NamedTuple):
    """What a client's requests are answered with, and the type of its pages."""

    statuses: list[int]
    type: str


CLIENTS = {
    "macos": Expected([200, 200, 200, 201, 200, 404], JPEG),
    "windows": Expected([200, 200, 201, 200, 200, 200, 404, 200], JPEG),
    "mopria": Expected([200, 201, 200, 200], PDF),
    "hp_smart": Expected([200, 201, 200, 404], PDF),
    "airscan": Expected([200, 200, 201, 200, 404, 404], PNG),
    "original": Expected([200, 200, 201, 200, 404], PDF),
}


class Reply(NamedTuple):
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Share]:
    needs_web()
    folder = tmp_path_factory.mktemp("clients")
    faults = Faults(folder)
    faults.set("pixels")
    config = configure(folder / "sane.d", "[https]\nenabled = false\n", "tstweb\n")
    with Share(config, folder / "state", tree=STAGED, **faults.variables) as made:
        made.wait_for("is shared")
        yield made


def requests(name: str) -> list[bytes]:
    """Return the recorded requests of a client."""
    return END.split((RECORDED / f"{name}.txt").read_bytes())[:-1]


def sent(share: Share, request: bytes, job: str) -> Reply:
    """Send a request byte for byte on a connection of its own; return the answer."""
    head, _, body = request.partition(b"\n\n")
    head = head.replace(b"\n", b"\r\n").rstrip()
    values = {b"HOST": b"localhost:%d" % share.port, b"JOB": job.encode()}
    values[b"LENGTH"] = b"%d" % len(body)
    for word, value in values.items():
        head = head.replace(b"@%s@" % word, value)
    if b"Connection: close" not in head:
        head = re.sub(rb"(?i)\r\nconnection: keep-alive", b"", head) + b"\r\nConnection: close"
    with share.connect() as sock:
        sock.sendall(head + b"\r\n\r\n" + body)
        return parsed(until_closed(sock))


def parsed(data: bytes) -> Reply:
    """Return the answer in *data*; a chunked body that does not end fails."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines[1:])
    headers = {name.lower(): value for name, _, value in pairs}
    if headers.get("transfer-encoding") == "chunked":
        body = unchunked(body)
    else:
        assert len(body) == int(headers["content-length"])
    return Reply(int(lines[0].split()[1]), headers, body)


def unchunked(body: bytes) -> bytes:
    """Return what the chunks hold."""
    out, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        if not size:
            assert body[end:] == b"\r\n\r\n"
            return out
        out += body[end + 2 : end + 2 + size]
        at = end + 4 + size


@pytest.mark.parametrize("name", CLIENTS)
def test_a_clients_requests_are_answered(share: Share, name: str) -> None:
    job = ""
    replies = []
    for request in requests(name):
        reply = sent(share, request, job)
        job = reply.headers.get("location", job)
        replies.append(reply)
    expected = CLIENTS[name]
    assert [reply.status for reply in replies] == expected.statuses, share.log[-2000:]
    types = [reply.headers.get("content-type", "") for reply in replies]
    assert expected.type in types
    pages = [r for r in replies if r.headers.get("content-type") == expected.type]
    for page in pages:
        if expected.type == PDF:
            assert page.body.startswith(b"%PDF-1.4") and page.body.endswith(b"%%EOF\n")
        else:
            Image.open(io.BytesIO(page.body)).load()


def test_every_recorded_client_is_tried() -> None:
    assert {path.stem for path in RECORDED.glob("*.txt")} == set(CLIENTS)


def test_a_location_is_spelt_as_the_original_looks_for_it(share: Share) -> None:
    body = requests("original")[2].partition(b"\n\n")[2]
    head = (
        b"POST /eSCL/ScanJobs HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n" % share.port
    )
    with share.connect() as sock:
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        data = until_closed(sock)
    assert b"\r\nLocation: /eSCL/ScanJobs/" in data and b"content-length: 0\r\n" in data.lower()
    job = parsed(data).headers["location"]
    assert share.ask("DELETE", job)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Referer": "http://evil.example/x"}, 403),
        ({"Host": "evil.example"}, 403),
        ({}, 201),
    ],
)
def test_other_pages_start_no_scan(share: Share, headers: dict[str, str], status: int) -> None:
    body = requests("original")[2].partition(b"\n\n")[2]
    form = "application/x-www-form-urlencoded"
    found = share.ask("POST", "/eSCL/ScanJobs", body, Content_Type=form, **headers)
    assert found[0] == status
    if status == 201:
        assert share.ask("DELETE", found[1]["location"])[0] == 200


def test_http_1_0_gets_a_page_until_the_end(share: Share) -> None:
    body = requests("airscan")[2].partition(b"\n\n")[2]
    job = share.ask("POST", "/eSCL/ScanJobs", body, Content_Type="text/xml")[1]["location"]
    head, _, page = share.raw(f"GET {job}/NextDocument HTTP/1.0\r\n\r\n".encode()).partition(
        b"\r\n\r\n"
    )
    assert b" 200 " in head.split(b"\r\n")[0] and b"chunked" not in head.lower()
    Image.open(io.BytesIO(page)).load()
