"""Scans and previews by REST: what is asked for is scanned, and what goes wrong is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sane.web import problems
from sane.web.facts import PageHead
from tests.support.api import SECONDS, ApiServer, wait_until
from tests.support.web import FakeScanner, page_bytes, source
from tests.web.api.pictures import png_rows


@pytest.fixture
def fake() -> FakeScanner:
    return FakeScanner(pages=2)


@pytest.fixture
def api(fake: FakeScanner, tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer([fake], state=tmp_path) as server:
        yield server


def test_scanners_and_what_they_can_do_are_told(api: ApiServer, fake: FakeScanner) -> None:
    (told,) = api.get("/scanners")["scanners"]
    assert told["id"] == fake.id and told["state"] == "idle" and told["feeder"] == "loaded"
    found = api.get(f"/scanners/{fake.id}/capabilities")
    assert [each["id"] for each in found["sources"]] == ["platen", "adf", "adf-duplex"]
    assert found["sources"][0]["width_mm"] == 215.9
    papers = {paper["id"]: paper["width_mm"] for paper in found["papers"]}
    assert papers["a4"] == 210 and "a3" not in papers and "max" in papers
    assert found["defaults"]["resolution"] == 300


def test_a_scanner_that_may_come_yet_is_asked_for_again(api: ApiServer, fake: FakeScanner) -> None:
    scanners: Any = api.context.scanners
    one = ("GET", f"/scanners/{fake.id}/capabilities")
    order = ("POST", "/jobs", {"scanner": fake.id})

    def refused() -> list[int]:
        replies = [api.ask("GET", "/scanners"), api.ask(*one), api.ask(*order)]
        for reply in replies:
            if reply.status == 503:
                assert reply.code == "unreachable" and int(reply.headers["retry-after"]) < 10
        return [reply.status for reply in replies]

    scanners.list, scanners.is_listed = [], False
    assert refused() == [503, 503, 503]
    scanners.is_listed, scanners.coming = True, [fake]
    assert refused() == [200, 503, 503]
    scanners.coming = []
    assert refused() == [200, 404, 404]
    scanners.list, scanners.is_listed = [fake], False
    assert refused() == [200, 200, 201]


def test_a_page_is_kept_as_it_was_scanned(
    api: ApiServer, fake: FakeScanner, tmp_path: Path
) -> None:
    document = api.scanned(mode="gray", resolution=75, paper="a6", title="A letter")
    (page,) = document["pages"]
    assert document["title"] == "A letter"
    assert (page["width"], page["height"], page["mode"]) == (310, 437, "gray")
    reply = api.ask("GET", f"/documents/{document['id']}/pages/{page['id']}/image?size=full")
    assert reply.headers["content-type"] == "image/png"
    head = PageHead(310, 437, 8, 1, 310, 75, 75)
    assert png_rows(reply.body) == page_bytes(head)
    assert fake.status.state == "idle"
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "documents").rglob("*"))


def test_a_feeder_gives_all_its_pages_and_they_are_added_to_a_document(api: ApiServer) -> None:
    first = api.scanned(source="adf", resolution=75)
    assert len(first["pages"]) == 2
    again = api.scanned(source="platen", resolution=75, document=first["id"])
    assert again["id"] == first["id"]
    assert [page["id"] for page in again["pages"][:2]] == [page["id"] for page in first["pages"]]
    assert len(again["pages"]) == 3


def test_a_page_is_scanned_again_in_its_place(api: ApiServer, tmp_path: Path) -> None:
    first = api.scanned(source="adf", resolution=75)
    ids = [page["id"] for page in first["pages"]]
    again = api.scanned(source="adf", resolution=100, document=first["id"], replace=ids[0])
    assert [page["dpi"] for page in again["pages"]] == [100, 75]
    assert again["pages"][1]["id"] == ids[1]
    names = {file.name for file in (tmp_path / "documents" / first["id"]).glob("*.png")}
    assert names == {f"{page['id']}.png" for page in again["pages"]}


def test_a_page_of_unknown_height_ends_where_it_ends(api: ApiServer, fake: FakeScanner) -> None:
    fake.unknown = True
    (page,) = api.scanned(resolution=75, paper="card", mode="lineart")["pages"]
    assert (page["width"], page["height"], page["mode"]) == (252, 159, "lineart")


def test_a_devices_jpeg_is_kept_as_it_is(tmp_path: Path) -> None:
    fake = FakeScanner(encoded=("image/jpeg",))
    fake.jpeg = (Path(__file__).parent / "page.jpg").read_bytes()
    with ApiServer([fake], state=tmp_path) as api:
        document = api.scanned(resolution=75)
        (page,) = document["pages"]
        assert page["kind"] == "jpeg" and (page["width"], page["height"]) == (60, 40)
        path = f"/documents/{document['id']}/pages/{page['id']}/image?size=full"
        assert api.ask("GET", path).body == fake.jpeg


def test_a_preview_is_a_picture_and_no_document(api: ApiServer, fake: FakeScanner) -> None:
    job = api.finished(api.post("/jobs", {"scanner": fake.id, "kind": "preview"}))
    reply = api.ask("GET", job["preview"].removeprefix("/api/v1"))
    assert reply.status == 200 and reply.headers["content-type"] in ("image/jpeg", "image/png")
    assert api.get("/documents")["documents"] == [] and job["document"] is None


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"source": "glass"}, "source"),
        ({"resolution": 17}, "resolution"),
        ({"resolution": True}, "resolution"),
        ({"mode": "color", "depth": 1}, "depth"),
        ({"paper": "a3"}, "paper"),
        ({"area": {"left_mm": 200, "top_mm": 0, "width_mm": 50, "height_mm": 50}}, "area"),
        ({"area": {"left_mm": 0, "top_mm": 0, "width_mm": 0, "height_mm": 50}}, "area"),
        ({"area": {"left_mm": 0, "top_mm": 0, "width_mm": 50}}, "area.height_mm"),
        (
            {"area": {"left_mm": 0, "top_mm": 0, "width_mm": 9, "height_mm": 9}, "paper": "a6"},
            "area",
        ),
        ({"colour": "red"}, "colour"),
        ({"replace": "0" * 16}, "document"),
        ({"kind": "preview", "title": "x"}, "title"),
        ({"deliver": {"destination": "nowhere"}}, "destination"),
        ({"work": {"crop": "much"}}, "work.crop"),
    ],
)
def test_what_makes_no_sense_is_named(
    api: ApiServer, fake: FakeScanner, order: dict[str, object], field: str
) -> None:
    reply = api.ask("POST", "/jobs", {"scanner": fake.id, **order})
    assert (reply.status, reply.code) == (400, "invalid"), reply.body
    assert reply.json["error"]["field"] == field
    assert fake.opened == 0


PROBLEMS = [
    ("acquire", problems.Busy("simple-scan, pid 4711"), "busy"),
    ("acquire", problems.Unreachable("it was unplugged"), "unreachable"),
    ("configure", problems.Refused("mode", "mode is not there"), "invalid"),
    ("start", problems.NoDocuments("the feeder is empty"), "no-documents"),
    ("start", problems.Jammed("paper is stuck"), "jammed"),
    ("start", problems.CoverOpen("the cover is open"), "cover-open"),
    ("start", problems.ScanFailed(9, "the driver failed"), "failed"),
]


@pytest.mark.parametrize(("call", "problem", "code"), PROBLEMS)
def test_what_goes_wrong_with_the_scanner_is_told(
    api: ApiServer, fake: FakeScanner, call: str, problem: Exception, code: str
) -> None:
    fake.failing[call] = problem
    job = api.finished(api.post("/jobs", {"scanner": fake.id}))
    assert job["state"] == "failed" and job["error"]["code"] == code
    if code == "busy":
        assert job["error"]["holder"] == "simple-scan, pid 4711"
    assert fake.held is None
    assert api.scanned(resolution=75)["pages"]


def test_a_scan_that_breaks_keeps_its_whole_pages(
    api: ApiServer, fake: FakeScanner, tmp_path: Path
) -> None:
    fake.gate.clear()
    job = api.post("/jobs", {"scanner": fake.id, "source": "adf", "resolution": 75})

    def break_second() -> None:
        fake.gate.set()

    api.call(break_second)
    wait_until(lambda: api.get(f"/jobs/{job['id']}"), lambda it: it["pages"])
    fake.breaking = (0, problems.ScanFailed(9, "it was unplugged"))
    done = api.finished(job)
    if done["state"] == "failed":
        assert done["error"]["code"] == "failed" and len(done["pages"]) == 1
    assert not list((tmp_path / "documents").rglob("*.part"))
    assert fake.held is None


def test_a_job_is_cancelled_while_it_scans(api: ApiServer, fake: FakeScanner) -> None:
    fake.gate.clear()
    job = api.post("/jobs", {"scanner": fake.id})
    wait_until(lambda: api.get(f"/jobs/{job['id']}"), lambda it: it["state"] == "scanning")
    reply = api.ask("DELETE", f"/jobs/{job['id']}")
    assert reply.status == 200 and reply.json["state"] == "cancelled"
    assert fake.held is None


def test_a_second_job_on_a_scanner_is_refused(api: ApiServer, fake: FakeScanner) -> None:
    fake.gate.clear()
    job = api.post("/jobs", {"scanner": fake.id, "resolution": 75})
    reply = api.ask("POST", "/jobs", {"scanner": fake.id, "resolution": 75})
    assert (reply.status, reply.code) == (409, "busy")
    api.call(fake.gate.set)
    assert api.finished(job)["state"] == "done"


def test_a_job_that_is_over_keeps_no_scanner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2")
    fake = FakeScanner(pages=1, sources=[source("adf", modes=("gray",))])
    with ApiServer([fake], state=tmp_path) as api:
        may_go_on = threading.Event()
        delete = api.parts.documents.delete

        def slow(id: str) -> None:
            may_go_on.wait(SECONDS)
            delete(id)

        monkeypatch.setattr(api.parts.documents, "delete", slow)
        order = {"scanner": fake.id, "resolution": 75}
        try:
            job = api.post("/jobs", {**order, "work": {"blank": 100}})
            assert api.finished(job)["state"] == "done"  # its empty document is still there
            assert api.finished(api.post("/jobs", order))["state"] == "done"
        finally:
            may_go_on.set()


def test_blank_pages_are_left_out_and_the_others_are_worked_on(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    fake = FakeScanner(pages=2, sources=[source("adf", modes=("gray",))])
    with ApiServer([fake], state=tmp_path) as api:
        job = api.post("/jobs", {"scanner": fake.id, "resolution": 75, "work": {"blank": 100}})
        done = api.finished(job)
        assert done["state"] == "done" and done["skipped"] == 2 and done["pages"] == []
        document = api.scanned(resolution=75, work={"rotate": 90})
        assert [(page["width"], page["height"]) for page in document["pages"]] == [(877, 637)] * 2


def test_a_paper_that_nobody_knows_is_refused(api: ApiServer, tmp_path: Path) -> None:
    """A profile's file is a person's: what an editor wrote into it may be anything."""
    (tmp_path / "profiles.toml").write_text("[profiles.x]\npage-size = 'A4'\n")
    reply = api.ask("POST", "/jobs", {"scanner": api.scanners[0].id, "profile": "x"})
    assert reply.status == 400 and reply.json["error"]["field"] == "paper", reply.body
