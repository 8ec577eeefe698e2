"""Documents by REST: changed, shown, exported; found again by the next server."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sane.web.config import DocumentSettings, ShareSettings
from sane.web.store.documents import Documents, Full
from sane.web.store.records import Page
from sane.web.views import Views
from sane.web.work.client import WorkFailed
from tests.support.api import ApiServer, wait_until
from tests.support.web import FakeScanner

SMALL = {"source": "adf", "resolution": 75, "paper": "a6", "mode": "gray"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer([FakeScanner(pages=3)], state=tmp_path) as server:
        yield server


def test_pages_are_put_in_order_turned_cropped_and_deleted(api: ApiServer) -> None:
    document = api.scanned(**SMALL)
    path, ids = f"/documents/{document['id']}", [page["id"] for page in document["pages"]]
    order = [ids[2], ids[0], ids[1]]
    changed = api.ask("PATCH", path, {"title": "  Two\nlines ", "pages": order}).json
    assert [page["id"] for page in changed["pages"]] == order
    assert changed["title"] == "Two lines"
    crop = {"left": 0, "top": 0, "width": 0.5, "height": 1}
    page = api.ask("PATCH", f"{path}/pages/{ids[0]}", {"rotate": 90, "crop": crop}).json
    assert page["rotate"] == 90 and page["crop"] == crop
    full = api.ask("GET", f"{path}/pages/{ids[0]}/image?size=full").body
    assert (int.from_bytes(full[16:20], "big"), int.from_bytes(full[20:24], "big")) == (437, 155)
    assert [round(dots) for dots in Image.open(io.BytesIO(full)).info["dpi"]] == [75, 75]
    assert api.ask("DELETE", f"{path}/pages/{ids[1]}").status == 204
    assert [page["id"] for page in api.get(path)["pages"]] == [ids[2], ids[0]]
    assert api.ask("DELETE", path).status == 204
    assert api.ask("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "{document}", {"pages": []}, 400),
        ("PATCH", "{document}", {"pages": ["x", "x"]}, 400),
        ("PATCH", "{document}/pages/{page}", {"rotate": 45}, 400),
        ("PATCH", "{document}/pages/{page}", {"crop": {"left": 0.5}}, 400),
        (
            "PATCH",
            "{document}/pages/{page}",
            {"crop": {"left": 0.6, "top": 0, "width": 0.6, "height": 1}},
            400,
        ),
        ("PATCH", "{document}/pages/0000000000000000", {"rotate": 90}, 404),
        ("GET", "{document}/pages/{page}/image?size=huge", None, 400),
        ("GET", "{document}/pages/..%2f..%2fdocument.json/image", None, 404),
        ("GET", "{document}/file?format=exe", None, 400),
        ("GET", "{document}/file?format=pdf&format=png", None, 400),
        ("GET", "{document}/file?pages=0000000000000000", None, 400),
        ("GET", "../../../../etc/passwd", None, 404),
        ("PUT", "{document}", {}, 405),
        ("POST", "{document}/deliveries", {"destination": "x"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(
    api: ApiServer, method: str, path: str, body: object, status: int
) -> None:
    document = api.scanned(**{**SMALL, "source": "platen"})
    filled = path.format(document=document["id"], page=document["pages"][0]["id"])
    reply = api.ask(method, f"/documents/{filled}", body)
    assert reply.status == status, reply.body
    assert reply.json["error"]["text"]


def test_a_document_becomes_a_file_of_each_format(api: ApiServer) -> None:
    document = api.scanned(**SMALL, title='Invoice "7/8" für März')
    path = f"/documents/{document['id']}/file"
    pdf = api.ask("GET", f"{path}?format=pdf&pdfa=1")
    assert pdf.body.startswith(b"%PDF-") and b"pdfaid" in pdf.body
    named = pdf.headers["content-disposition"]
    assert "filename*=UTF-8''Invoice%20_7_8_%20f%C3%BCr%20M%C3%A4rz.pdf" in named
    with zipfile.ZipFile(io.BytesIO(api.ask("GET", f"{path}?format=jpeg").body)) as archive:
        assert archive.namelist() == ["page-001.jpg", "page-002.jpg", "page-003.jpg"]
    one = f"{path}?format=png&pages={document['pages'][1]['id']}"
    assert api.ask("GET", one).body.startswith(b"\x89PNG")
    assert api.ask("GET", f"{path}?format=tiff").body[:2] in (b"II", b"MM")
    wait_until(lambda: os.listdir(api.parts.scratch) == [])


def test_the_server_imports_no_library_of_page_work(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from tests.support.web import app; app();"
        "print([m for m in ('numpy', 'PIL', 'cv2', 'pikepdf', 'argon2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# The disk


def test_the_next_server_finds_the_documents(tmp_path: Path) -> None:
    with ApiServer([FakeScanner()], state=tmp_path) as api:
        document = api.scanned(**{**SMALL, "source": "platen"})
        before = api.get(f"/documents/{document['id']}")
    with ApiServer([FakeScanner()], state=tmp_path) as api:
        assert api.get("/documents")["documents"] == [before]


def stored(folder: Path, **options: object) -> Documents:
    found = Documents(str(folder / "documents"), **options)  # type: ignore[arg-type]
    found.load()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a document with three pages in *tmp_path*."""
    with ApiServer([FakeScanner(pages=3)], state=tmp_path) as api:
        document = api.scanned(**SMALL)
    return tmp_path / "documents" / str(document["id"])


def test_a_page_that_was_written_before_a_kill_is_found(folder: Path, tmp_path: Path) -> None:
    record = folder / "document.json"
    told = json.loads(record.read_text())
    last = told["pages"].pop()
    record.write_text(json.dumps(told))
    half = folder / "0123456789abcdef.png"
    half.write_bytes((folder / f"{last['id']}.png").read_bytes()[:-20])
    (folder / "fedcba9876543210.png.part").write_bytes(b"half")
    (document,) = stored(tmp_path).all()
    assert [page.id for page in document.pages][-1] == last["id"]
    assert document.pages[-1].to_dict() == last
    assert len(document.pages) == 3 and not half.exists()
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pages": 7}', '{"id": "x", "pages": []}'])
def test_a_damaged_record_is_made_again_from_the_pages(
    folder: Path, tmp_path: Path, text: str
) -> None:
    (folder / "document.json").write_text(text)
    notes: list[str] = []
    (document,) = stored(tmp_path, note=notes.append).all()
    assert len(document.pages) == 3 and len(notes) == 1


def test_documents_are_kept_for_their_days(folder: Path, tmp_path: Path) -> None:
    now = [0.0]
    found = stored(tmp_path, days=30, clock=lambda: now[0])
    (document,) = found.all()
    now[0] = 4e9
    assert found.expire([document.id]) == []
    assert found.expire() == [document.id]
    assert not folder.exists()


def test_a_full_disk_or_limit_costs_the_page_and_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ShareSettings(documents=DocumentSettings(max_mib=1))
    with ApiServer([FakeScanner(pages=3)], settings, tmp_path) as api:
        document = api.scanned(**SMALL)
        api.parts.reserve_bytes = 1 << 60  # the disk is as good as full
        job = api.post("/jobs", {"scanner": api.scanners[0].id, "document": document["id"]})
        done = api.finished(job)
        assert done["state"] == "failed" and done["error"]["code"] == "disk-full"
        assert len(api.get(f"/documents/{document['id']}")["pages"]) == 3
        assert api.scanners[0].held is None
    found = stored(tmp_path, most_bytes=1)
    with pytest.raises(Full, match="MB already"):
        found.new_page(document["id"], "png")


def test_a_view_of_a_page_that_is_deleted_meanwhile_is_not_left(
    folder: Path, tmp_path: Path
) -> None:
    found = stored(tmp_path)
    (document,) = found.all()
    page = document.pages[0]

    class Work:
        async def ask(self, do: str, seconds: float, **wanted: Any) -> dict[str, Any]:
            found.delete_page(document.id, page.id)
            Path(wanted["target"]).write_bytes(b"a picture")
            return {}

    views = Views(found, Work(), logging.getLogger("pysane.test"))  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        asyncio.run(views.path(document.id, replace(page, rotate=90), "thumb"))
    assert not list(folder.glob(f"{page.id}*"))


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_picture_of_a_page_that_is_changed_meanwhile_is_there(
    folder: Path, tmp_path: Path, at_once: int
) -> None:
    """A change takes its name away, as soon as it is made, and all that wait have it."""

    class Changing(Documents):
        def keep_view(self, id: str, page: str, *paths: str) -> bool:
            kept = super().keep_view(id, page, *paths)
            self.change_page(id, page, rotate=180)
            return kept

    found = Changing(str(tmp_path / "documents"))
    found.load()
    (document,) = found.all()
    page = replace(document.pages[0], rotate=90)

    class Work:
        async def ask(self, do: str, seconds: float, **wanted: Any) -> dict[str, Any]:
            found.change_page(document.id, page.id, rotate=270)
            Path(wanted["target"]).write_bytes(b"a picture")
            found.change_page(document.id, page.id, rotate=0)
            return {}

    async def run() -> list[bytes]:
        views = Views(found, Work(), logging.getLogger("pysane.test"))  # type: ignore[arg-type]
        wanted = [views.opened(document.id, page, "thumb") for _ in range(at_once)]
        told = []
        for file, kind in await asyncio.gather(*wanted):
            assert kind == "jpeg"
            with file:
                told.append(os.pread(file.fileno(), 100, 0))
        return told

    assert asyncio.run(run()) == [b"a picture"] * at_once
    assert not list(folder.glob(f"{page.id}.thumb*"))


def test_page_work_that_is_killed_leaves_nothing_beside_the_page(
    folder: Path, tmp_path: Path
) -> None:
    """It had written its file, and could not say so any more."""
    found = stored(tmp_path)
    (document,) = found.all()
    page = document.pages[0]
    path = folder / page.file
    before = set(folder.iterdir())

    class Work:
        async def ask(self, do: str, seconds: float, **wanted: Any) -> dict[str, Any]:
            Path(wanted.get("target", f"{path}.work.part")).write_bytes(b"a picture")
            raise WorkFailed("it broke off")

    async def run() -> Page:
        views = Views(found, Work(), logging.getLogger("pysane.test"))  # type: ignore[arg-type]
        with pytest.raises(WorkFailed):
            await views.opened(document.id, replace(page, rotate=90), "full")
        kept, is_blank = await views.prepare(page, str(path), {})
        assert not is_blank
        return kept

    assert "it broke off" in asyncio.run(run()).note
    assert set(folder.iterdir()) == before


def test_a_page_without_its_file_is_not_found(api: ApiServer, tmp_path: Path) -> None:
    document = api.scanned(**SMALL)
    id = document["pages"][0]["id"]
    (tmp_path / "documents" / document["id"] / f"{id}.png").unlink()
    reply = api.ask("GET", f"/documents/{document['id']}/pages/{id}/image?size=full")
    assert (reply.status, reply.code) == (404, "not-found")


def test_views_without_a_page_are_removed(folder: Path, tmp_path: Path) -> None:
    left = folder / "0123456789abcdef.thumb.0123456789ab.jpg"
    left.write_bytes(b"a picture")
    (document,) = stored(tmp_path).all()
    kept = folder / f"{document.pages[0].id}.thumb.0123456789ab.jpg"
    kept.write_bytes(b"a picture")
    stored(tmp_path)
    assert kept.exists() and not left.exists()


def test_a_page_scanned_again_on_a_full_disk_stays(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new page had room, and the document's record has not."""
    found = stored(tmp_path)
    (document,) = found.all()
    before = list(document.pages)
    id, path = found.new_page(document.id, "png", replaces=True)
    Path(path).write_bytes((folder / before[1].file).read_bytes())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("sane.wholefile.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            found.add_page(document.id, replace(before[1], id=id), before[1].id)
    assert document.pages == before and not Path(path).exists()
    assert [page.id for page in stored(tmp_path).all()[0].pages] == [page.id for page in before]
