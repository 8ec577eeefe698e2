"""Files of spooled pages: what is in them, how they appear, and what is left where that fails."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import struct
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from sane.pagework import newfile
from sane.pagework.encode import picture_of
from sane.pagework.newfile import NewFile
from sane.pagework.pdf import Document
from sane.pagework.problem import OUTPUT, USAGE, PageWorkError
from sane.pagework.spool import Spool
from sane.pagework.writers import check_format, write
from tests.conftest import ABSENT

from .drawn import DPI, files_of_at_most, sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.pagework.sheet import Sheet
    from sane.pagework.spool import SpooledPage

RNG = np.random.default_rng(11)
GRAY = RNG.integers(0, 255, (59, 41), dtype=np.uint8)
COLOR = RNG.integers(0, 255, (59, 41, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65535, (59, 41), dtype=np.uint16)
BITS = np.where(GRAY < 90, np.uint8(0), np.uint8(255))


# The library opens the source of random numbers once, for good: before tests count descriptors.
with pikepdf.new() as _warm:
    _warm.save(io.BytesIO(), encryption=pikepdf.Encryption(owner="x", user="x"))


def jpeg_of(array: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG")
    return file.getvalue()


def sheets() -> list[Sheet]:
    sent = sheet_of(COLOR, encoded={"image/jpeg": jpeg_of(COLOR)})
    return [sheet_of(GRAY), sheet_of(COLOR), sheet_of(BITS, "lineart"), sheet_of(DEEP), sent]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(str(tmp_path)) as kept:
        yield kept


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def spooled(spool: Spool, format: str, lossless: bool = False) -> list[SpooledPage]:
    return [spool.add(sheet, picture_of(sheet, format, lossless=lossless)) for sheet in sheets()]


@contextmanager
def stdout_to(fd: int) -> Iterator[None]:
    """Let the process's stdout be another file."""
    kept = os.dup(1)
    os.dup2(fd, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def fax_pixels(image: Any) -> Any:
    """Return the pixels of a CCITT image as a TIFF of its data has them (pikepdf 6 inverts)."""
    parms, data = image.DecodeParms, image.read_raw_bytes()
    assert (parms.K, parms.Columns, parms.Rows) == (-1, image.Width, image.Height)
    tags = [(256, image.Width), (257, image.Height), (258, 1), (259, 4)]
    tags += [(262, 1 if parms.get("/BlackIs1") else 0), (273, 8), (278, image.Height)]
    tags += [(279, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, int(value)) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    with Image.open(io.BytesIO(head + data + directory)) as tiff:
        return np.asarray(tiff)


def images(path: Path, password: str = "") -> list[Any]:
    """Return the images of a PDF's pages, decoded."""
    with pikepdf.open(path, password=password) as pdf:
        return [
            np.asarray(pikepdf.PdfImage(_only_image(page)).as_pil_image()) for page in pdf.pages
        ]


def _only_image(page: Any) -> Any:
    (image,) = page.obj.Resources.XObject.as_dict().values()
    return image


# PDF


def test_a_pdf_has_all_pages_in_their_size_and_compression(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    written = write(spooled(spool, "pdf"), str(path), "pdf")
    assert written.to_dict() == {"path": str(path), "pages": 5, "bytes": path.stat().st_size}
    with pikepdf.open(path) as pdf:
        filters = [str(_only_image(page).Filter) for page in pdf.pages]
        sizes = [[round(float(value), 2) for value in page.mediabox] for page in pdf.pages]
        sent = _only_image(pdf.pages[4]).read_raw_bytes()
        pixels = fax_pixels(_only_image(pdf.pages[2]))
    assert filters == ["/DCTDecode", "/DCTDecode", "/CCITTFaxDecode", "/DCTDecode", "/DCTDecode"]
    assert sizes == [[0, 0, round(41 / DPI * 72, 2), round(59 / DPI * 72, 2)]] * 5
    assert sent == jpeg_of(COLOR)
    assert np.array_equal(pixels, BITS > 0)


def test_a_lossless_pdf_has_every_pixel_of_16_bits_too(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    write(spooled(spool, "pdf", lossless=True), str(path), "pdf")
    with pikepdf.open(path) as pdf:
        streams = [_only_image(pdf.pages[place]).read_bytes() for place in (0, 1, 3)]
    assert streams[0] == GRAY.tobytes()
    assert streams[1] == COLOR.tobytes()
    assert streams[2] == DEEP.astype(">u2").tobytes()


def test_what_the_document_says_of_itself(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    document = Document(title="Lettre à élise", author="A. N. Other", keywords="one, two")
    write(spooled(spool, "pdf"), str(path), "pdf", document=document)
    with pikepdf.open(path) as pdf, pdf.open_metadata() as meta:
        assert meta["dc:title"] == str(pdf.docinfo.Title) == "Lettre à élise"
        assert meta["dc:creator"] == ["A. N. Other"]
        assert str(pdf.docinfo.Author) == "A. N. Other"
        assert str(pdf.docinfo.Keywords) == "one, two"
        assert "OutputIntents" not in pdf.Root


def test_a_pdf_a_says_so_and_has_a_colour_profile(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    write(spooled(spool, "pdf"), str(path), "pdf", document=Document(title="T", pdfa=True))
    with pikepdf.open(path) as pdf, pdf.open_metadata() as meta:
        assert meta.pdfa_status == "2B"
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert intent.DestOutputProfile.N == 3
        assert not pdf.is_encrypted
        assert "/ID" in pdf.trailer
        assert meta["xmp:CreateDate"] == meta["xmp:ModifyDate"]
    with pytest.raises(PageWorkError, match="encrypted"):
        Document(pdfa=True, password="x")


def test_an_encrypted_pdf_needs_the_password(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    write(spooled(spool, "pdf"), str(path), "pdf", document=Document(password="sesame"))
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(path)
    with pikepdf.open(path, password="sesame") as pdf:
        assert pdf.encryption.R == 6  # AES-256
        assert len(pdf.pages) == 5


def test_pages_go_behind_those_that_are_there(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    pages = spooled(spool, "pdf")
    appending = Document(title="New", append=True)
    write(pages[:2], str(path), "pdf", document=Document(title="Old", author="Me", append=True))
    write(pages[2:], str(path), "pdf", document=appending)
    with pikepdf.open(path) as pdf:
        filters = [str(_only_image(page).Filter) for page in pdf.pages]
        assert (str(pdf.docinfo.Title), str(pdf.docinfo.Author)) == ("New", "Me")
    assert filters[2:] == ["/CCITTFaxDecode", "/DCTDecode", "/DCTDecode"]
    locked = out / "locked.pdf"
    write(pages[:1], str(locked), "pdf", document=Document(password="sesame"))
    with pytest.raises(PageWorkError, match=r"locked.pdf is encrypted"):
        write(pages[1:], str(locked), "pdf", document=appending)
    write(pages[1:], str(locked), "pdf", document=Document(append=True, password="sesame"))
    assert len(images(locked, "sesame")) == 5


@pytest.mark.parametrize("old", [b"", b"no PDF", b"%PDF-1.7\n1 0 obj\n<<"])
def test_what_is_no_pdf_is_not_appended_to(spool: Spool, out: Path, old: bytes) -> None:
    path = out / "a.pdf"
    path.write_bytes(old)
    with pytest.raises(PageWorkError, match=r"cannot append to .*a\.pdf") as caught:
        write(spooled(spool, "pdf"), str(path), "pdf", document=Document(append=True))
    assert caught.value.exit_code == OUTPUT
    assert path.read_bytes() == old
    with pytest.raises(PageWorkError, match="PDF/A"):
        write(spooled(spool, "pdf"), str(path), "pdf", document=Document(append=True, pdfa=True))


def test_qpdf_finds_nothing_wrong(spool: Spool, out: Path) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip(f"{ABSENT}qpdf")
    for name, document, lossless in (
        ("plain", Document(), False),
        ("lossless", Document(title="T"), True),
        ("archive", Document(pdfa=True), False),
    ):
        path = out / f"{name}.pdf"
        write(spooled(spool, "pdf", lossless), str(path), "pdf", document=document)
        command = ["qpdf", "--check", str(path)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_many_pages_are_put_together_from_a_file(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    sheet = sheet_of(GRAY)
    pages = [spool.add(sheet, picture_of(sheet, "pdf", quality=10 + i)) for i in range(23)]
    write(pages, str(path), "pdf")
    with pikepdf.open(path) as pdf:
        assert [_only_image(page).read_raw_bytes() for page in pdf.pages] == [
            page.read() for page in pages
        ]


# Pictures


def test_a_tiff_has_all_pages_with_every_pixel(spool: Spool, out: Path) -> None:
    path = out / "a.tif"
    write(spooled(spool, "tiff"), str(path), "tiff")
    found: list[Any] = []
    with Image.open(path) as image:
        for frame in range(5):
            image.seek(frame)
            assert [round(value) for value in image.info["dpi"]] == [DPI, DPI]
            found.append((image.info["compression"], np.asarray(image)))
    assert [name for name, _ in found][:4] == [
        *("tiff_adobe_deflate", "tiff_adobe_deflate", "group4", "tiff_adobe_deflate"),
    ]
    for (_, array), wanted in zip(found, (GRAY, COLOR, BITS > 0, DEEP), strict=False):
        assert np.array_equal(array, wanted)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "pnm"])
def test_a_picture_is_a_file_even_of_a_page_that_was_spooled_for_another_format(
    spool: Spool, out: Path, format: str
) -> None:
    for kind in (format, ""):
        for number, page in enumerate(spooled(spool, kind)):
            path = out / f"{kind}-{number}.{format}"
            write([page], str(path), format)
            with Image.open(path) as image:
                light = np.asarray(image if image.mode[0] == "I" else image.convert("L")).mean()
                assert image.size == (41, 59)
            scale = 256 if light > 256 else 1
            assert abs(light / scale - 127) < 40, (kind, number)
    with pytest.raises(PageWorkError, match="one page, not 5") as caught:
        write(spooled(spool, format), str(out / "x"), format)
    assert caught.value.exit_code == USAGE


# How files appear


def test_an_existing_file_is_replaced_only_by_force(spool: Spool, out: Path) -> None:
    path = out / "a.pdf"
    path.write_bytes(b"old")
    path.chmod(0o640)
    pages = spooled(spool, "pdf")
    with pytest.raises(PageWorkError, match=r"a\.pdf exists already") as caught:
        write(pages, str(path), "pdf")
    assert caught.value.exit_code == OUTPUT
    assert path.read_bytes() == b"old"
    assert os.listdir(out) == ["a.pdf"]
    write(pages, str(path), "pdf", force=True)
    assert len(images(path)) == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_the_user_s_mask_leaves(spool: Spool, out: Path) -> None:
    old = os.umask(0o027)
    try:
        write(spooled(spool, "pdf"), str(out / "a.pdf"), "pdf")
    finally:
        os.umask(old)
    assert stat.S_IMODE((out / "a.pdf").stat().st_mode) == 0o640


def test_a_root_without_proc_gets_its_file(
    spool: Spool, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newfile, "STATUS", str(out / "nothing"))
    write(spooled(spool, "pdf"), str(out / "a.pdf"), "pdf")
    assert stat.S_IMODE((out / "a.pdf").stat().st_mode) == 0o600


def test_a_link_stays_one(spool: Spool, out: Path) -> None:
    (out / "real").mkdir()
    (out / "real" / "a.pdf").write_bytes(b"old")
    (out / "link.pdf").symlink_to("real/a.pdf")
    write(spooled(spool, "pdf"), str(out / "link.pdf"), "pdf", force=True)
    assert (out / "link.pdf").is_symlink()
    assert len(images(out / "real" / "a.pdf")) == 5


@pytest.mark.parametrize("format", ["pdf", "tiff", "png"])
def test_a_full_disk_names_the_path_and_keeps_the_pages(
    spool: Spool, out: Path, format: str
) -> None:
    path = out / f"a.{format}"
    path.write_bytes(b"old")
    pages = spooled(spool, format)
    with files_of_at_most(100), pytest.raises(PageWorkError, match="File too large") as caught:
        write(pages if format != "png" else pages[:1], str(path), format, force=True)
    error = caught.value
    assert error.exit_code == OUTPUT
    assert error.kept == spool.folder
    assert path.read_bytes() == b"old"
    assert os.listdir(out) == [path.name]
    spool.close()
    assert len([name for name in os.listdir(error.kept) if name.startswith("page-")]) == 5


@pytest.mark.parametrize("format", ["pdf", "tiff", "png"])
@pytest.mark.parametrize("is_spooled", [True, False])
def test_a_full_disk_leaves_no_page_that_is_elsewhere_as_well(
    spool: Spool, out: Path, format: str, is_spooled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the spool nor beside it; what the system said is told."""
    monkeypatch.setattr("sane.pagework.spool.BIG_TEMPORARY", str(out))
    monkeypatch.setattr("sane.pagework.spool.SMALL_TEMPORARY", str(out))
    pages = spooled(spool, format) if is_spooled else []
    with files_of_at_most(100), pytest.raises(PageWorkError) as caught:
        pages = pages or spooled(spool, format)
        pages = pages if format != "png" else pages[:1]
        write(pages, str(out / "a"), format, keeps=False)
    assert (caught.value.errno, caught.value.kept) == (errno.EFBIG, "")
    spool.close()
    assert not os.path.exists(spool.folder)
    assert os.listdir(out) == []


def test_pages_in_memory_are_kept_as_files_too(spool: Spool, out: Path) -> None:
    with files_of_at_most(100):  # the disk is full during the scan, and has room later
        pages = spooled(spool, "pdf")
    assert not any(page.path for page in pages)
    with pytest.raises(PageWorkError) as caught:
        write(pages, str(out / "no" / "a.pdf"), "pdf")
    assert caught.value.hint == f"the pages are kept in {spool.folder}"
    spool.close()
    assert len(os.listdir(spool.folder)) == len(pages)


def test_pages_in_memory_are_kept_where_there_is_room(
    spool: Spool, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.pagework.spool.BIG_TEMPORARY", str(out / "nothing"))
    monkeypatch.setattr("sane.pagework.spool.SMALL_TEMPORARY", str(out))
    with files_of_at_most(100):
        pages = spooled(spool, "pdf")
    os.rmdir(spool.folder)  # nothing can be written there
    with pytest.raises(PageWorkError) as caught:
        write(pages, str(out / "no" / "a.pdf"), "pdf")
    (folder,) = out.iterdir()
    assert caught.value.kept == str(folder)
    assert len(os.listdir(folder)) == len(pages)


def test_pages_for_which_there_is_no_room_are_told(spool: Spool, out: Path) -> None:
    with files_of_at_most(100):
        pages = spooled(spool, "pdf")
        with pytest.raises(PageWorkError) as caught:
            write(pages, str(out / "a.pdf"), "pdf")
    assert str(caught.value) == f"cannot write {out / 'a.pdf'}: File too large"
    assert caught.value.hint == "there was room nowhere for 5 of them, which are lost"
    assert caught.value.kept == ""


@pytest.mark.parametrize("format", ["pdf", "tiff"])
def test_a_spool_without_room_is_not_needed_for_the_file(
    spool: Spool, out: Path, format: str
) -> None:
    with files_of_at_most(100):
        pages = spooled(spool, format)
    os.rmdir(spool.folder)
    write(pages, str(out / f"a.{format}"), format)
    assert os.listdir(out) == [f"a.{format}"]
    if format == "pdf":
        assert len(images(out / "a.pdf")) == 5


def test_a_folder_that_is_not_there_names_the_path(spool: Spool, out: Path) -> None:
    with pytest.raises(PageWorkError, match=r"no/a\.pdf: there is no folder") as caught:
        write(spooled(spool, "pdf"), str(out / "no" / "a.pdf"), "pdf")
    assert caught.value.kept in caught.value.hint


def test_a_failure_while_writing_leaves_nothing(out: Path) -> None:
    with pytest.raises(KeyboardInterrupt), NewFile(str(out / "a")) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert os.listdir(out) == []


def test_a_file_that_appears_meanwhile_is_not_replaced(out: Path) -> None:
    with pytest.raises(PageWorkError, match="exists already"), NewFile(str(out / "a")) as file:
        file.write(b"ours")
        (out / "a").write_bytes(b"theirs")
    assert (out / "a").read_bytes() == b"theirs"
    assert os.listdir(out) == ["a"]


def test_stdout_and_pipes_get_the_file_when_it_is_whole(spool: Spool, out: Path) -> None:
    pages = spooled(spool, "pdf")
    with open(out / "stdout", "wb") as file, stdout_to(file.fileno()):
        written = write(pages, "-", "pdf")
    data = (out / "stdout").read_bytes()
    assert len(data) == written.size
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == 5
    assert write(pages, "/dev/null", "pdf").pages == 5
    pipe = out / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        write(pages, str(pipe), "pdf")
        assert reader.stdout is not None
        assert reader.stdout.read().startswith(b"%PDF")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_missing_library_is_told_before_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for format in ("pdf", "tiff", "png", "jpeg", "webp", "pnm"):
        check_format(format, pdfa=True)
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    with pytest.raises(PageWorkError, match="PDF output needs pikepdf") as caught:
        check_format("pdf")
    assert caught.value.exit_code == 69
    assert "sane-stack[cli]" in caught.value.hint
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(PageWorkError, match="Pillow"):
        check_format("tiff")
    check_format("png")


def test_a_full_standard_output_is_called_so(
    spool: Spool, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = os.dup(1)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, 1)
        with pytest.raises(PageWorkError, match="cannot write standard output: No space left"):
            write(spooled(spool, "pdf"), "-", "pdf")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(full)
