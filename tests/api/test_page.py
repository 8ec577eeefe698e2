"""A page: its array and other forms, copies, files, frames besides its own."""

from __future__ import annotations

import copy
import io
import mmap
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sane import Page, Parameters, const, errors
from tests.fakes.sheets import Sheets, gray, opened, rgb
from tests.support.old_pillow import refuse_buffers

WORDS = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2700


def pages() -> dict[str, Page]:
    bits = np.zeros((4, 10), np.uint8)
    bits[:, ::3] = 255
    bytes_ = np.arange(40, dtype=np.uint8).reshape(4, 10)
    colour = np.arange(120, dtype=np.uint8).reshape(4, 10, 3)
    return {
        "lineart": Page.from_array(bits, mode="lineart", dpi=(200, 100)),
        "gray": Page.from_array(bytes_, dpi=(200, 100)),
        "color": Page.from_array(colour, dpi=(200, 100)),
        "gray 16": Page.from_array(WORDS, dpi=(200, 100)),
        "color 16": Page.from_array(np.stack([WORDS] * 3, -1), dpi=(200, 100)),
    }


FORMS = list(pages())


@pytest.mark.parametrize("form", FORMS)
def test_an_array_comes_back(form: str) -> None:
    page = pages()[form]
    again = Page.from_array(page.array, mode=page.mode)
    assert np.array_equal(again.array, page.array)
    assert (again.mode, again.depth) == (page.mode, page.depth)
    assert page.array.flags.writeable
    assert page.array.flags.c_contiguous
    assert page.mode == form.split(maxsplit=1)[0]
    assert page.size_mm == pytest.approx((page.width * 25.4 / 200, page.height * 25.4 / 100))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("file", ["png", "pnm", "jpeg", "tiff", "bmp", "webp"])
def test_a_file_has_the_pixels(form: str, file: str, tmp_path: Path) -> None:
    page = pages()[form]
    if file == "jpeg" and not has_jpeg():
        pytest.skip("this tree is not compiled")
    path = page.save(tmp_path / f"x.{file}")
    assert path == tmp_path / f"x.{file}"
    assert os.listdir(tmp_path) == [path.name]
    with Image.open(path) as image:
        assert image.size == (page.width, page.height)
        if file in ("png", "pnm", "tiff"):
            seen = np.asarray(image.convert("RGB") if page.channels == 3 else image)
            wanted = page.array
            if page.depth == 16 and (page.channels == 3 or seen.dtype == np.uint8):
                wanted = (wanted >> 8).astype(np.uint8)
            if seen.dtype == bool:
                seen = seen * np.uint8(255)
            assert np.allclose(seen, wanted, rtol=0, atol=page.depth == 16)


def has_jpeg() -> bool:
    try:
        import sane.image.jpeg_encoder  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("form", FORMS)
def test_an_image_has_the_pixels_and_the_resolution(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_buffers(monkeypatch)
    page = pages()[form]
    image = page.to_image()
    assert image.mode == {"lineart": "1", "gray": "L", "gray 16": "I;16"}.get(form, "RGB")
    assert image.info["dpi"] == (200, 100)
    seen = np.asarray(image)
    wanted = page.array >> 8 if form == "color 16" else page.array
    assert np.array_equal(seen * np.uint8(255) if seen.dtype == bool else seen, wanted)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_to_the_array_is_in_the_file(form: str) -> None:
    page = pages()[form]
    before = page.to_bytes("pnm")
    page.array[0, 0] = 0 if page.array[0, 0].any() else 255
    assert page.to_bytes("pnm") != before
    again = Page.from_array(page.array, mode=page.mode)
    assert again.to_bytes("pnm") == page.to_bytes("pnm")


def test_files_need_neither_numpy_nor_pil(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "PIL", "PIL.Image"):
        monkeypatch.setitem(sys.modules, name, None)
    page = Page([(Parameters(const.FRAME_GRAY, 2, 1), bytearray(b"ab"))])
    assert page.to_bytes("pnm") == b"P5\n2 1\n255\nab"
    assert page.to_bytes("png").startswith(b"\x89PNG")
    assert page.raw == b"ab"
    with pytest.raises(ImportError):
        _ = page.array


def test_a_device_writes_into_the_memory_of_the_array() -> None:
    params, data = rgb(1, 2, 3)
    frame = bytearray(data)
    page = Page([(params, frame)])
    page.array[0, 0] = 9
    assert frame[:3] == b"\x09\x09\x09"
    assert np.shares_memory(np.asarray(page), page.array)
    assert np.shares_memory(np.array(page, copy=False), page.array)
    assert np.shares_memory(np.frombuffer(page.rows(), np.uint8), page.array)


def test_copies_are_made_as_numpy_wants_them() -> None:
    page = pages()["gray"]
    assert not np.shares_memory(page.__array__(copy=True), page.array)
    assert page.__array__() is page.array
    assert page.__array__(np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        page.__array__(np.float32, copy=False)
    assert np.asarray(page, np.uint16).dtype == np.uint16
    assert np.array_equal(np.from_dlpack(page), page.array)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="buffers of Python classes came with 3.12")
def test_a_page_is_a_buffer() -> None:
    view = memoryview(pages()["color"])
    assert (view.shape, view.format, view.readonly) == ((4, 10, 3), "B", False)


def test_bits_are_packed_rows() -> None:
    page = pages()["lineart"]
    assert page.bits is not None
    assert bytes(page.bits) == bytes([0b01101101, 0b10000000]) * 4
    assert pages()["gray"].bits is None


def test_what_the_driver_sent_is_there_with_its_padding() -> None:
    params = Parameters(const.FRAME_GRAY, 3, 2, bytes_per_line=5)
    page = Page([(params, bytearray(b"abc..def.."))])
    assert page.raw == b"abc..def.."
    assert page.parameters is params
    assert bytes(page.rows()) == b"abcdef"


def test_infrared_follows_the_colours() -> None:
    device = Sheets(rgb(1, 2, 3, last=False), gray(9, last=False), gray(8), gray(7))
    with opened(device) as scanner:
        page = scanner.scan()
        assert page.array[0, 0].tolist() == [1, 2, 3]
        assert page.infrared is not None
        assert np.all(page.infrared == 9)
        assert [int(item[0, 0]) for item in page.extra] == [8]
        assert scanner.scan().infrared is None


def test_a_gray_page_has_no_infrared_but_further_frames() -> None:
    with opened(Sheets(gray(1, last=False), gray(2))) as scanner:
        page = scanner.scan()
    assert page.infrared is None
    assert [int(item[0, 0]) for item in page.extra] == [2]


def test_a_page_that_never_ends_is_stopped() -> None:
    with (
        opened(Sheets(*[gray(1, last=False)] * 20)) as scanner,
        pytest.raises(errors.DeviceIOError, match="more than 16 frames"),
    ):
        scanner.scan()


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (np.zeros((2, 2), np.int32), None),
        (np.zeros((2, 2), bool), None),
        (np.zeros((2, 2, 4), np.uint8), None),
        (np.zeros((2, 2, 3), np.uint8), "lineart"),
        (np.zeros((2, 2), np.uint16), "lineart"),
        (np.zeros((0, 3), np.uint8), None),
        (np.zeros((3, 0), np.uint8), None),
        (np.zeros((3, 0, 3), np.uint16), "color"),
        (np.zeros((2, 2), np.uint8), "color"),
        (np.zeros((2, 2, 3), np.uint8), "gray"),
        (np.zeros((2, 2), np.uint8), "linart"),
        (np.zeros((2, 2), np.uint8), ""),
        ([[1, 2]], None),
    ],
)
def test_arrays_that_are_no_page(array: np.ndarray, mode: str | None) -> None:
    with pytest.raises(ValueError, match=r"no page|no line art"):
        Page.from_array(array, mode=mode)  # type: ignore[arg-type]


def test_a_mode_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"mode 'linart' for uint8 of shape \(2, 2\)"):
        Page.from_array(np.zeros((2, 2), np.uint8), mode="linart")  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_words_in_the_order_of_another_machine_are_the_same_pixels(order: str) -> None:
    """They came with their bytes swapped."""
    array = np.array([[0, 1, 256]], order)
    page = Page.from_array(array)
    assert page.array.tolist() == [[0, 1, 256]]
    assert page.to_bytes("pnm").endswith(b"\0\0\0\1\1\0")
    assert page.array.dtype.isnative


COPIES: list[Callable[[Page], Page]] = [
    lambda page: pickle.loads(pickle.dumps(page)),
    copy.deepcopy,
]


def some_pages() -> dict[str, Page]:
    """Pages whose frames, rows and arrays lie in memory in all the ways there are."""
    padded = Parameters(const.FRAME_GRAY, 3, 2, 8, bytes_per_line=5)
    planes = [Parameters(color, 2, 2, 8) for color in (const.FRAME_RED, 3, 4)]
    film = [(params, bytearray(data)) for params, data in (rgb(1, 2, 3), gray(4))]
    mapped = mmap.mmap(-1, 4)
    mapped.write(bytes(range(4)))
    return {
        **pages(),
        "padded": Page([(padded, bytearray(range(10)))]),
        "planes": Page([(plane, bytearray(range(4))) for plane in planes]),
        "mapped": Page([(Parameters(const.FRAME_GRAY, 2, 2, 8), memoryview(mapped))]),
        "cut off": Page([(Parameters(const.FRAME_GRAY, 2, 4, 8), bytearray(range(5)))]),
        "infrared": Page(film),
    }


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("form", list(some_pages()))
@pytest.mark.parametrize("is_looked_at", [False, True])
def test_a_page_can_be_pickled(form: str, way: Callable[[Page], Page], is_looked_at: bool) -> None:
    """A page of an array could not; of others, what was written to the copy was in no file."""
    page = some_pages()[form]
    if is_looked_at:
        page.array[0, 0] = 255
    again = way(page)
    assert np.array_equal(again.array, page.array)
    assert again.raw == page.raw
    assert again.to_bytes("png") == page.to_bytes("png")
    assert len(again.extra) == len(page.extra)
    for name in ("parameters", "number", "side", "dpi", "settings", "scanned_at", "truncated"):
        assert getattr(again, name) == getattr(page, name)
    before = page.to_bytes("pnm")
    again.array[...] = 255 - again.array
    assert again.to_bytes("pnm") != before
    assert page.to_bytes("pnm") == before


def test_a_shallow_copy_has_the_same_pixels() -> None:
    page = pages()["gray"]
    again = copy.copy(page)
    again.number = 9
    assert (page.number, again.number) == (1, 9)
    assert np.shares_memory(again.array, page.array)


def test_a_page_like_another() -> None:
    page = Page([gray(1)], number=4, side="back", dpi=(75, 75))  # type: ignore[list-item]
    again = Page.from_array(page.array[:2], like=page)
    assert (again.number, again.side, again.dpi, again.height) == (4, "back", (75, 75), 2)
    assert again.scanned_at == page.scanned_at
    assert again.encoded == {}


def test_a_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    path.write_text("before")
    path.chmod(0o600)

    def full(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space"):
        pages()["gray"].save(path)
    monkeypatch.undo()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["x.png"]
    pages()["gray"].save(path)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_new_file_has_the_permissions_of_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    """It was asked for by changing it: files of other threads were writable by everybody."""
    before = os.umask(mask)
    asked: list[int] = []
    monkeypatch.setattr("os.umask", asked.append)
    try:
        path = pages()["gray"].save(tmp_path / "x.png")
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert asked == []
    assert os.listdir(tmp_path) == ["x.png"]


def test_a_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.png").mkdir()
    page = pages()["gray"]
    for name, kind in (
        ("nosuch/x.png", FileNotFoundError),
        ("file/x.png", NotADirectoryError),
        ("folder.png", IsADirectoryError),
    ):
        with pytest.raises(kind) as caught:
            page.save(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)


def test_names_of_files_that_say_nothing(tmp_path: Path) -> None:
    page = pages()["gray"]
    with pytest.raises(ValueError, match="a name without ending"):
        page.save(tmp_path / "x")
    with pytest.raises(ValueError, match="no format 'sepia'"):
        page.save(tmp_path / "x.sepia")
    assert os.listdir(tmp_path) == []
    assert page.save(tmp_path / "x", "png").read_bytes().startswith(b"\x89PNG")
    assert page.save(tmp_path / "x.tif", compression="tiff_lzw").exists()


def test_a_notebook_shows_a_small_picture() -> None:
    page = Page.from_array(np.zeros((3000, 2000), np.uint16))
    with Image.open(io.BytesIO(page._repr_png_())) as image:
        assert max(image.size) <= 1000
