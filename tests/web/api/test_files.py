"""Documents as files by REST: what is refused, and what is left where one is not made."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from sane.web.config import DestinationSettings, ShareSettings
from sane.web.work.client import MOST_WAITING, PageWork
from sane.web.work.export import export
from tests.pagework.drawn import files_of_at_most
from tests.support.api import ApiServer, wait_until
from tests.support.web import FakeScanner

SMALL = {"source": "adf", "resolution": 75, "paper": "a6", "mode": "gray"}
BREAKING, WAITING = "tests.web.api.breaking", "tests.web.api.waiting"
LOG = logging.getLogger("pysane.test")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    destination = DestinationSettings("there", "folder", "There", {"path": str(inbox)})
    settings = ShareSettings(destination=(destination,))
    with ApiServer([FakeScanner(pages=2)], settings, tmp_path / "state") as server:
        yield server


@pytest.fixture
def document(api: ApiServer) -> Any:
    return api.scanned(**SMALL)


def left(api: ApiServer) -> list[str]:
    """Return what is in the folder for what is being made."""
    return os.listdir(api.parts.scratch)


def delivered(api: ApiServer, document: dict[str, Any]) -> Any:
    """Order a delivery; return it after its first attempt."""
    made = api.post(f"/documents/{document['id']}/deliveries", {"destination": "there"})
    return wait_until(lambda: api.get(f"/deliveries/{made['id']}"), lambda it: it["error"])


# What is refused


def test_a_page_is_named_once(api: ApiServer, document: dict[str, Any]) -> None:
    """One page a thousand times would fill the disk."""
    one, other = (page["id"] for page in document["pages"])
    reply = api.ask("GET", f"/documents/{document['id']}/file?pages={one},{other},{one}")
    assert (reply.status, reply.code) == (400, "invalid")
    assert reply.json["error"] == {
        **{"code": "invalid", "text": f"pages names {one} twice", "field": "pages"},
    }


@pytest.mark.parametrize("wanted", ["deu+eng", "deu%2Beng", "deu%20eng"])
def test_languages_are_joined_by_a_plus_that_may_be_escaped(
    api: ApiServer, document: dict[str, Any], wanted: str, tmp_path: Path, monkeypatch: Any
) -> None:
    """In a query it stands for a blank."""
    tesseract = tmp_path / "tesseract"
    tesseract.write_text("#!/bin/sh\necho Languages:\necho eng\n")
    tesseract.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reply = api.ask("GET", f"/documents/{document['id']}/file?ocr=1&language={wanted}")
    assert (reply.status, reply.code) == (501, "unavailable"), reply.body
    assert "OCR in deu+eng needs tesseract's language deu" in reply.json["error"]["text"]


def test_a_language_has_no_end_of_line(api: ApiServer, document: dict[str, Any]) -> None:
    reply = api.ask("GET", f"/documents/{document['id']}/file?ocr=1&language=eng%0A")
    assert (reply.status, reply.json["error"]["field"]) == (400, "language")


# What is left


@pytest.mark.parametrize("format", ["pdf", "png", "tiff"])
def test_a_full_disk_is_told_and_nothing_is_left(
    api: ApiServer, document: dict[str, Any], format: str
) -> None:
    path = f"/documents/{document['id']}/file?format={format}"
    with files_of_at_most(2000):  # page work takes over the limit
        for _ in range(2):
            reply = api.ask("GET", path)
            assert (reply.status, reply.code) == (507, "disk-full"), reply.body
            told = reply.json["error"]["text"]
            assert told == f"cannot make the file in {api.parts.scratch}: File too large"
            assert left(api) == []


def test_a_file_leaves_the_reserve_on_the_disk(api: ApiServer, document: dict[str, Any]) -> None:
    api.parts.reserve_bytes = 1 << 60  # the disk is as good as full
    reply = api.ask("GET", f"/documents/{document['id']}/file")
    assert (reply.status, reply.code) == (507, "disk-full"), reply.body
    delivery = delivered(api, document)
    assert delivery["state"] == "waiting" and "No space left" in delivery["error"]
    assert left(api) == []


def test_the_reserve_counts_what_the_file_will_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was room for the pages, and there is none for them twice more."""
    picture = tmp_path / "page.png"
    Image.new("L", (300, 300), 99).save(picture)
    disk = SimpleNamespace(f_bavail=1, f_frsize=1000)
    monkeypatch.setattr("sane.web.store.files.os.statvfs", lambda folder: disk)
    page = {"path": str(picture), "kind": "png", "dpi": 75.0, "mode": "gray"}
    wish: dict[str, Any] = {"pages": [page], "scratch": str(tmp_path), "title": ""}
    with pytest.raises(OSError, match="No space left"):
        export(**wish, target=str(tmp_path / "file"), format="pdf", reserve=0)
    assert os.listdir(tmp_path) == ["page.png"]


def test_a_delivery_waits_while_the_disk_is_full(api: ApiServer, document: dict[str, Any]) -> None:
    with files_of_at_most(2000):
        delivery = delivered(api, document)
    assert delivery["state"] == "waiting"
    assert "File too large" in delivery["error"]
    assert left(api) == []


def test_page_work_that_is_killed_leaves_nothing(api: ApiServer, document: dict[str, Any]) -> None:
    api.parts.exports = PageWork(LOG, module=BREAKING)
    reply = api.ask("GET", f"/documents/{document['id']}/file")
    assert (reply.status, reply.code) == (500, "failed")
    assert left(api) == []


def test_page_work_that_is_killed_leaves_nothing_of_a_delivery(
    api: ApiServer, document: dict[str, Any]
) -> None:
    api.parts.deliveries.work = PageWork(LOG, module=BREAKING)
    delivery = delivered(api, document)
    assert left(api) == []
    folder = Path(api.parts.deliveries.folder, delivery["id"])
    pages = {f"{page['id']}.png" for page in document["pages"]}
    wait_until(lambda: set(os.listdir(folder)) == {"delivery.json", *pages})


@pytest.mark.parametrize("range", ["bytes=0-9", "bytes=99999999-", "bytes=5-1", "lines=1"])
def test_a_file_is_sent_whole_whatever_range_is_asked_for(
    api: ApiServer, document: dict[str, Any], range: str
) -> None:
    """It is made anew for each request, so no part of one is another one's. RFC 9110, 14.2."""
    path = f"/documents/{document['id']}/file?format=tiff"
    whole = api.ask("GET", path).body
    reply = api.ask("GET", path, headers={"Range": range})
    assert (reply.status, reply.body) == (200, whole)
    assert "accept-ranges" not in reply.headers and "content-range" not in reply.headers
    head = api.ask("HEAD", path, headers={"Range": range})
    assert (head.status, head.headers["content-length"]) == (200, str(len(whole)))
    assert left(api) == []


# Who waits


def ordered(api: ApiServer, document: dict[str, Any], count: int) -> list[socket.socket]:
    """Ask for so many files; return the connections once the server has them all."""
    before = len(left(api))
    path = f"/api/v1/documents/{document['id']}/file"
    found = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(count)]
    for sock in found:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    wait_until(lambda: len(left(api)) == before + count)
    return found


def test_a_file_that_nobody_waits_for_is_not_made(
    api: ApiServer, document: dict[str, Any], tmp_path: Path
) -> None:
    api.parts.exports = PageWork(LOG, module=WAITING)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.ask, "GET", f"/documents/{document['id']}/file")
        wait_until((tmp_path / "state" / "requests").exists)
        for sock in ordered(api, document, 3):
            sock.close()
        wait_until(lambda: len(left(api)) == 1)
        (tmp_path / "state" / "gate").touch()
        assert waiting.result().body == b"%PDF-"
    assert (tmp_path / "state" / "requests").read_text() == "export\n"


def test_a_client_has_few_files_under_way(api: ApiServer, document: dict[str, Any]) -> None:
    """Hanging up ends also the one that is being made."""
    api.parts.exports = PageWork(LOG, module=WAITING)
    connections = ordered(api, document, MOST_WAITING)
    reply = api.ask("GET", f"/documents/{document['id']}/file")
    assert (reply.status, reply.code) == (429, "too-many")
    assert int(reply.headers["retry-after"]) > 0
    for sock in connections:
        sock.close()
    wait_until(lambda: left(api) == [])


def test_a_delivery_does_not_wait_for_files(api: ApiServer, document: dict[str, Any]) -> None:
    api.parts.exports = PageWork(LOG, module=WAITING)
    (connection,) = ordered(api, document, 1)
    with connection:
        made = api.post(f"/documents/{document['id']}/deliveries", {"destination": "there"})
        wait_until(lambda: api.get(f"/deliveries/{made['id']}")["state"] == "done")
