"""eSCL pages in every format and form that devices send; row 28 of specification escl 10."""

from __future__ import annotations

import pytest

from sane import errors
from sane.image import readable
from sane.testing.escl import Profile, Scanner, feeder_model
from sane.testing.escl.images import FORMS
from tests.support.escl import LINES, PNG, WIDTH, Desk, png_model, without_pauses
from tests.support.handles import page

RAW = "application/octet-stream"
GRAY, COLOR, BITS = "Grayscale8", "RGB24", "BlackAndWhite1"
MOST_DIFFERENCE = 12  # of a sample, for what a JPEG loses


def scanner_of(mime: str, form: str, sheets: int = 0) -> Scanner:
    """Return a scanner that sends nothing but *mime*, in *form*."""
    model = feeder_model()
    for source in (model.platen, model.adf, model.duplex):
        assert source is not None
        source.profiles = [Profile((COLOR, GRAY), (mime,))]
    scanner = Scanner(model, sheets=sheets)
    scanner.pages.form = form
    scanner.pages.quality = 95
    return scanner


@pytest.mark.parametrize(
    ("mime", "form"), [(mime, form) for mime in FORMS if mime != RAW for form in FORMS[mime]]
)
def test_row_28_every_form_of_every_format(
    mime: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not readable([mime]):
        pytest.skip(f"{mime} cannot be read in this Python")
    without_pauses(monkeypatch)
    with Desk(Scanner(png_model())) as desk:
        expected = page(desk.open(mode="Gray"))
    with Desk(scanner_of(mime, form)) as desk:
        handle = desk.open(mode="Gray")
        data = page(handle)  # also of a bomb: no more is unpacked than the page has
        assert len(data) == WIDTH * LINES
        if form in ("", "progressive", "palette", "interlaced", "top-down", "tiled"):
            pairs = zip(data, expected, strict=True)
            distance = sum(abs(one - other) for one, other in pairs) / len(data)
            assert distance < MOST_DIFFERENCE


@pytest.mark.parametrize("mime", ["image/tiff", "application/pdf"])
def test_row_28_pages_of_one_document_are_one_frame_each(mime: str) -> None:
    if not readable([mime]):
        pytest.skip(f"{mime} cannot be read in this Python")
    scanner = scanner_of(mime, "", sheets=3)
    scanner.pages.in_one = True
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF", mode="Gray")
        pages = []
        for _ in range(3):
            pages.append(page(handle))
            handle.cancelled()
        assert len(set(pages)) == 3
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert len(desk.log.of("jobs")) == 1


@pytest.mark.parametrize("mime", ["image/tiff", "image/bmp", "application/pdf", RAW])
def test_row_28_a_scanner_whose_pages_cannot_be_read_says_what_is_missing(mime: str) -> None:
    if readable([mime]):
        pytest.skip(f"{mime} can be read in this Python")
    with Desk(scanner_of(mime, "")) as desk, pytest.raises(errors.SaneError, match=r"\w"):
        desk.open()


def test_row_28_another_format_than_asked_for_is_read_as_well() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        expected = page(desk.open(mode="Gray"))
        scanner.model.platen.profiles = [Profile((COLOR, GRAY), ("image/jpeg", PNG))]  # type: ignore[union-attr]
        scanner.pages.mime = PNG
        assert page(desk.open(mode="Gray")) == expected


def test_row_28_gray_is_made_colour_and_colour_gray() -> None:
    scanner = Scanner(png_model((COLOR,)))
    with Desk(scanner) as desk:
        assert len(page(desk.open(mode="Gray"))) == WIDTH * LINES
        bits = page(desk.open(mode="Lineart"))
        assert len(bits) == LINES * WIDTH // 8


def test_row_30_the_scanners_own_line_art_has_black_as_1() -> None:
    scanner = Scanner(png_model((COLOR, GRAY, BITS)))
    with Desk(scanner) as desk:
        gray = page(desk.open(mode="Gray"))
        bits = page(desk.open(mode="Lineart"))
        assert b"BlackAndWhite1" in desk.log.of("jobs")[-1].request.body
        same = sum(
            (bits[line * WIDTH // 8 + x // 8] >> (7 - x % 8) & 1) == (gray[line * WIDTH + x] < 128)
            for line in range(LINES)
            for x in range(WIDTH)
        )
        assert same > 0.9 * WIDTH * LINES
