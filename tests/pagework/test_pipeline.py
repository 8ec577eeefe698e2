"""Pages through threads: order, waiting, failures; the spool on disk, and a disk that is full."""

from __future__ import annotations

import gc
import io
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sane.pagework.encode import jpeg_form, picture_of
from sane.pagework.pipeline import WAITING_PER_CORE, Pipeline
from sane.pagework.problem import OUTPUT, PROCESSING, PageWorkError
from sane.pagework.spool import Spool
from sane.pagework.steps import Step, steps_for

from .drawn import blank, files_of_at_most, printed, sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.pagework.sheet import Sheet
    from sane.pagework.spool import SpooledPage

SECONDS = 20.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(str(tmp_path)) as kept:
        yield kept
    assert list(tmp_path.glob("pysane-*")) == []


def page(number: int, light: int = 200, **known: Any) -> Sheet:
    return sheet_of(np.full((30, 20), light, np.uint8), number=number, **known)


def jpeg_of(array: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG")
    return file.getvalue()


def wait_for(event: threading.Event) -> None:
    assert event.wait(SECONDS)


def test_pages_come_out_in_the_order_in_which_they_went_in(spool: Spool) -> None:
    second_done = threading.Event()

    def work(sheet: Sheet) -> Sheet:
        if sheet.number == 1:
            wait_for(second_done)
        elif sheet.number == 2:
            second_done.set()
        return sheet

    told: list[int] = []
    with Pipeline(
        spool, [Step("slow", work)], workers=2, on_page=lambda done: told.append(done.number)
    ) as line:
        for number in range(1, 8):
            line.put(page(number))
        pages = line.end()
    assert [done.number for done in pages] == told == list(range(1, 8))


def test_the_feeder_waits_while_too_many_pages_are_under_way(spool: Spool) -> None:
    may_go = threading.Event()
    put: list[int] = []

    def work(sheet: Sheet) -> Sheet:
        wait_for(may_go)
        return sheet

    with Pipeline(spool, [Step("slow", work)], workers=1) as line:

        def feed() -> None:
            for number in range(1, 10):
                line.put(page(number))
                put.append(number)

        feeder = threading.Thread(target=feed)
        feeder.start()
        feeder.join(0.3)
        assert len(put) == WAITING_PER_CORE
        may_go.set()
        feeder.join(SECONDS)
        assert len(line.end()) == 9


def test_a_page_that_fails_in_a_step_is_kept_as_it_was_scanned(spool: Spool) -> None:
    def darker(sheet: Sheet) -> Sheet:
        return sheet.replaced(sheet.array // 2)

    def work(sheet: Sheet) -> Sheet:
        if sheet.number == 2:
            raise ValueError("no paper edge")
        return sheet

    with Pipeline(spool, [Step("darken", darker), Step("deskew", work)], workers=2) as line:
        for number in (1, 2, 3):
            line.put(page(number))
        pages = line.end()
    assert [done.problem is None for done in pages] == [True, False, True]
    problem = pages[1].problem
    assert problem is not None
    assert str(problem) == "page 2 is kept as it was scanned: deskew failed: no paper edge"
    assert problem.exit_code == PROCESSING
    lights = [int(np.asarray(Image.open(io.BytesIO(done.read()))).mean()) for done in pages]
    assert lights == [100, 200, 100]


def test_the_raw_page_is_stored_beside_what_was_there(spool: Spool, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    sent = jpeg_of(np.zeros((30, 20), np.uint8))
    for _ in range(2):
        with Pipeline(
            spool, steps_for(threshold=128), format="pdf", keep_raw=str(raw), workers=1
        ) as line:
            line.put(page(1))
            line.put(page(2, encoded={"image/jpeg": sent}))
            line.end()
    names = ["page-0001-2.pnm", "page-0001.pnm", "page-0002-2.jpg", "page-0002.jpg"]
    assert sorted(path.name for path in raw.iterdir()) == names
    assert (raw / "page-0002.jpg").read_bytes() == sent
    with Image.open(raw / "page-0001.pnm") as image:
        assert image.getpixel((0, 0)) == 200


def test_a_raw_folder_that_cannot_be_made_is_told_before_the_scan(
    spool: Spool, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PageWorkError, match=r"file/raw: Not a directory") as caught:
        Pipeline(spool, keep_raw=str(tmp_path / "file" / "raw"))
    assert caught.value.exit_code == OUTPUT


def test_a_full_disk_loses_no_page_and_stops_the_feeder(spool: Spool) -> None:
    two_done = threading.Event()

    def tell(done: SpooledPage) -> None:
        if done.number == 2:
            two_done.set()

    count = 2
    with Pipeline(spool, workers=1, on_page=tell) as line:
        line.put(page(1))
        line.put(page(2))
        wait_for(two_done)
        with files_of_at_most(10):
            with pytest.raises(PageWorkError, match="File too large") as caught:
                for count in range(3, 100):
                    line.put(page(count))
            pages = line.end()
    assert caught.value.exit_code == OUTPUT
    assert spool.folder in str(caught.value)
    assert "TMPDIR" in caught.value.hint
    assert [done.number for done in pages] == list(range(1, count))
    assert [bool(done.path) for done in pages[:3]] == [True, True, False]
    assert all(done.read() for done in pages)
    assert len(os.listdir(spool.folder)) == 2  # nothing is left of the others


def test_an_error_of_on_page_ends_the_scan_and_no_page_is_lost(spool: Spool) -> None:
    def tell(done: object) -> None:
        raise KeyError("progress")

    with Pipeline(spool, on_page=tell, workers=1) as line:
        line.put(page(1))
        with pytest.raises(KeyError):
            line.end()
    assert len(line.pages()) == 1
    with pytest.raises(ValueError, match="ended"):
        line.put(page(2))


def test_an_interrupted_scan_keeps_the_pages_that_are_complete(spool: Spool) -> None:
    line = Pipeline(spool, workers=2)
    with pytest.raises(KeyboardInterrupt), line:
        for number in (1, 2, 3):
            line.put(page(number))
        raise KeyboardInterrupt
    assert [done.number for done in line.pages()] == [1, 2, 3]


def test_the_spool_is_the_user_s_alone_and_goes_with_its_owner(tmp_path: Path) -> None:
    kept = Spool(str(tmp_path))
    done = kept.add(page(1), picture_of(page(1), ""))
    assert stat.S_IMODE(os.stat(kept.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(done.path).st_mode) == 0o600
    assert done.to_dict()["width"] == 20
    folder = Path(kept.folder)
    del kept, done
    gc.collect()
    assert not folder.exists()


def test_a_spool_that_is_kept_is_files_that_any_program_opens(tmp_path: Path) -> None:
    with Spool(str(tmp_path)) as kept:
        kept.add(page(1), picture_of(page(1), ""))
        (name,), lost = kept.keep()
        assert not lost
        folder = Path(name)
    (path,) = folder.iterdir()
    with Image.open(path) as image:
        assert image.size == (20, 30)
    with pytest.raises(PageWorkError, match="no/folder"):
        Spool(str(tmp_path / "no" / "folder"))


# Pictures


def test_the_device_s_jpeg_is_taken_untouched_where_its_pixels_would_do() -> None:
    gray = np.full((30, 20), 90, np.uint8)
    sent = jpeg_of(gray)
    sheet = sheet_of(gray, encoded={"image/jpeg": sent})
    for format in ("pdf", "jpeg", ""):
        assert picture_of(sheet, format, lossless=True).data == sent
    assert picture_of(sheet, "png").kind == "png"
    for other in (
        sheet_of(gray[:29], encoded={"image/jpeg": sent}),  # another size
        sheet_of(np.stack([gray] * 3, 2), encoded={"image/jpeg": sent}),  # other colours
        sheet_of(gray, encoded={"image/jpeg": sent[:20]}),
        sheet.replaced(gray),
    ):
        assert picture_of(other, "pdf").data != sent


def test_the_form_of_a_jpeg_is_read_from_its_head_alone() -> None:
    sent = jpeg_of(np.zeros((30, 20, 3), np.uint8))
    assert jpeg_form(sent) == (20, 30, 3)
    assert jpeg_form(sent[:2] + b"\xff\xff" + sent[3:]) == (20, 30, 3)  # a fill byte
    for cut in range(0, 180, 7):
        assert jpeg_form(sent[:cut]) in (None, (20, 30, 3))
    assert jpeg_form(b"\x89PNG") is None


def test_every_format_gives_the_pixels_back() -> None:
    rng = np.random.default_rng(4)
    gray = rng.integers(0, 255, (31, 21), dtype=np.uint8)
    deep = rng.integers(0, 65535, (31, 21), dtype=np.uint16)
    bits = np.where(gray < 100, np.uint8(0), np.uint8(255))
    pages = [sheet_of(gray), sheet_of(np.stack([gray, gray // 2, gray], 2)), sheet_of(deep)]
    pages.append(sheet_of(bits, "lineart"))
    for sheet in pages:
        for format, lossless in (("", False), ("png", False), ("pnm", False), ("webp", True)):
            picture = picture_of(sheet, format, lossless=lossless)
            found = np.asarray(Image.open(io.BytesIO(picture.data)).convert(_mode(sheet, format)))
            wanted = sheet.array
            if found.dtype == np.uint8 and wanted.dtype == np.uint16:
                wanted = wanted >> 8
            assert np.array_equal(found.astype(int), wanted), (sheet, format)
    g4 = Image.open(io.BytesIO(picture_of(pages[3], "tiff").data))
    assert g4.info["compression"] == "group4"
    assert np.array_equal(np.asarray(g4.convert("L")), bits)


def _mode(sheet: Sheet, format: str) -> str:
    if sheet.mode == "color":
        return "RGB"
    return "I" if sheet.depth == 16 and format != "webp" else "L"


# Which steps


def test_steps_are_done_in_their_order_and_mark_pages(spool: Spool) -> None:
    chosen = steps_for(
        rotate=90,
        rotate_backs=180,
        deskew=True,
        crop="auto",
        blank=0.3,
        white_background=True,
        brightness=5,
        despeckle=True,
        threshold=128,
    )
    names = [step.name for step in chosen]
    assert names == [
        *("rotate", "rotate-backs", "deskew", "crop", "blank", "white-background"),
        *("brightness", "despeckle", "threshold"),
    ]
    with Pipeline(spool, chosen, format="pdf") as line:
        line.put(sheet_of(printed(100, angle=2), dpi=100, side="front"))
        line.put(sheet_of(blank(100), dpi=100, side="back", number=2))
        first, second = line.end()
    assert first.problem is None
    assert (first.facts["turned"], second.facts["turned"]) == (90, 270)
    assert abs(first.facts["skew"] - 2) <= 0.1
    assert (first.is_blank, second.is_blank) == (False, True)
    assert first.kind == "g4"
    assert first.to_dict()["blank"] is False


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rotate": 45}, "rotate 45 is not 0, 90, 180 or 270"),
        ({"rotate_backs": 1}, "rotate-backs 1 is not"),
        ({"brightness": 101}, "brightness 101 is not in -100 to 100"),
        ({"threshold": -1}, "threshold -1 is not in 0 to 255"),
        ({"blank": 101}, "skip-blank 101 is not in 0 to 100"),
    ],
)
def test_a_value_out_of_range_is_told_before_the_scan(wrong: Any, message: str) -> None:
    with pytest.raises(PageWorkError, match=message) as caught:
        steps_for(**wrong)
    assert caught.value.exit_code == 64


def test_a_missing_library_is_told_before_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cv2", None)
    for wanted in ({"deskew": True}, {"crop": 3.0}, {"despeckle": True}):
        with pytest.raises(PageWorkError, match=r"needs OpenCV") as caught:
            steps_for(**wanted)
        assert caught.value.exit_code == 69
        assert "python3-opencv" in caught.value.hint
    assert [step.name for step in steps_for(blank=0.3, rotate=90)] == ["rotate", "blank"]


def test_errors_outlive_a_pickle() -> None:
    import pickle

    error = PageWorkError("it failed", hint="try again", exit_code=OUTPUT, kept="/folder", errno=28)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.hint, again.exit_code, again.kept, again.errno) == (
        *("it failed", "try again", OUTPUT, "/folder", 28),
    )
