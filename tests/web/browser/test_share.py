"""The page on `pysane share` itself, with the test backend's device."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.support import browser as browsers
from tests.support.page_steps import READY, pages, preview, scan, use

pytestmark = pytest.mark.long

Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def shared(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server with one device of the test backend."""
    folder = tmp_path_factory.mktemp("share")
    configuration = folder / "sane.d"
    configuration.mkdir()
    (configuration / "dll.conf").write_text("test\n")
    text = (ROOT / "etc" / "test.conf").read_text()
    (configuration / "test.conf").write_text(
        text.replace("number_of_devices 2", "number_of_devices 1")
    )
    with browsers.share(configuration, folder) as address:
        yield address


def documents(address: str) -> list[Any]:
    """Return what the server keeps."""
    with urllib.request.urlopen(f"{address}api/v1/documents") as answer:
        found: list[Any] = json.load(answer)["documents"]
    return found


def test_from_the_glass_to_a_file(shared: str, visit: Visit) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    page = visit(shared)
    preview(page)
    assert page.evaluate("document.querySelector('.bed-picture').naturalWidth") > 100
    box = page.locator(".bed").bounding_box()
    page.get_by_label("Paper size").select_option("max")
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3, steps=4)
    page.mouse.up()
    page.get_by_label("Resolution").select_option("150")
    scan(page)
    page.locator(".page-sheet .loaded").wait_for()
    page.locator(".page-sheet").click()
    page.get_by_role("button", name="Turn right").click()
    page.keyboard.press("Escape")
    page.click(".workspace-head .primary")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    with pikepdf.open(saved.value.path()) as file:
        sheet = file.pages[0]
        width, height = (float(side) for side in sheet.mediabox[2:])
        lies = int(sheet.get("/Rotate", 0)) % 180 == 90
        shown = (height, width) if lies else (width, height)
    assert shown == pytest.approx((40 / 25.4 * 72, 120 / 25.4 * 72), abs=10)  # 120 by 40 mm, turned
    assert saved.value.suggested_filename.endswith(".pdf")


def test_a_feeder_of_pages_in_another_order(shared: str, visit: Visit) -> None:
    page = visit(shared)
    use(page, "adf")
    page.get_by_label("Resolution").select_option("75")
    scan(page)
    before = pages(page)
    assert len(before) == 10  # sheets of the test backend
    page.locator(".grip").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator("#polite", has_text="now page 2").wait_for(state="attached")
    page.locator(f"[data-page='{before[9]}']").get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_selector(f"[data-page='{before[9]}']", state="detached")
    newest = max(documents(shared), key=lambda one: one["changed"])
    kept = [one["id"] for one in newest["pages"]]
    assert kept == [before[1], before[0], *before[2:9]] == pages(page)


def test_a_scan_is_stopped_and_the_device_is_free_again(shared: str, visit: Visit) -> None:
    page = visit(shared)
    use(page, "adf")
    page.get_by_label("Resolution").select_option("300")
    page.click(READY)
    page.wait_for_selector(".pages [data-page]")
    page.click(".buttons .stop")
    page.wait_for_selector(READY)
    page.locator(".scanner-card .state.ready").wait_for()
    assert 1 <= len(pages(page)) < 10
    assert page.locator(".notice").count() == 0


def test_an_old_document_is_opened_and_deleted(shared: str, visit: Visit) -> None:
    page = visit(shared)
    use(page, "platen")
    scan(page)
    page.click(".title")
    page.get_by_label("Title").fill("Letter to Ada")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Documents").click()
    card = page.locator(".card.file", has_text="Letter to Ada")
    card.get_by_role("button", name="Open").click()
    page.wait_for_selector(".pages [data-page]")
    page.get_by_role("link", name="Documents").click()
    card.get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    card.wait_for(state="detached")
    assert "Letter to Ada" not in [one["title"] for one in documents(shared)]


def test_all_formats_are_saved(shared: str, visit: Visit) -> None:
    starts = {"PDF": b"%PDF", "JPEG": b"\xff\xd8", "PNG": b"\x89PNG", "TIFF": b"II*"}
    page = visit(shared)
    use(page, "platen")
    page.get_by_label("Resolution").select_option("75")
    scan(page)
    for name, start in starts.items():
        page.click(".workspace-head .primary")
        page.get_by_label(name, exact=True).check()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download").click()
        assert Path(saved.value.path()).read_bytes().startswith(start), name
        page.wait_for_selector("dialog", state="detached")
