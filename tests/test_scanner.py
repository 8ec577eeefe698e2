"""The Python API on the test device: arrays as the specification's formulas say, pages, cancel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sane
from sane import const, errors
from sane.api.scanner import Scanner

CONF = "br_x 80\nbr_y 30\nresolution 50\n"
FEEDER = "Automatic Document Feeder"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Path]:
    """Initialise the API on a configuration of its own; return its directory."""
    (tmp_path / "dll.conf").write_text("test\n")
    (tmp_path / "test.conf").write_text(CONF)
    sane.init({"SANE_CONFIG_DIR": str(tmp_path)})
    yield tmp_path
    sane.exit()


@pytest.fixture
def scanner(api: Path) -> Iterator[Scanner]:
    with sane.Scanner("test:0") as found:
        yield found


def set_up(scanner: Scanner, **options: Any) -> None:
    for name, value in options.items():
        scanner.options[name] = value


# Golden formulas of the Color pattern (test-backend 4.3), for whole pages


def gray_8(height: int, width: int) -> Any:
    page = np.zeros((height, width), np.uint8)
    for y in range(height):
        m = y % 10
        for x in range(width):
            k = x // 5 & 255
            page[y, x] = 0x55 if x % 5 == 0 or m % 5 == 0 else k if m < 5 else 255 - k
    return page


def rgb_8(height: int, width: int) -> Any:
    page = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        m = y % 30
        for x in range(width):
            q, k = m // 5, x // 5 & 255
            if x % 5 == 0 or m % 5 == 0:
                page[y, x] = 0x55
            else:
                page[y, x, q // 2] = 255 - k if q % 2 else k
    return page


def gray_16(height: int, width: int) -> Any:
    page = np.full((height, width), 0x5555, np.uint16)
    for y in range(height):
        m = y % 260
        for x in range(width):
            if x % 260 >= 4 and m >= 4:
                page[y, x] = 256 * (x % 260 - 4) + m - 4
    return page


def rgb_16(height: int, width: int) -> Any:
    page = np.full((height, width, 3), 0x5555, np.uint16)
    for y in range(height):
        m = y % 260
        for x in range(width):
            if x % 260 >= 4 and m >= 4:
                page[y, x] = 0
                page[y, x, x // 260 % 3] = 256 * (x % 260 - 4) + m - 4
    return page


def gray_1(height: int, width: int) -> Any:
    """Squares of 16 pixels, the first one white: in depth 1 gray, bit 0."""
    y, x = np.mgrid[:height, :width]
    return np.where((x // 16 + (y % 32 >= 16)) % 2 == 0, 255, 0).astype(np.uint8)


def rgb_1(height: int, width: int) -> Any:
    y, x = np.mgrid[:height, :width]
    k = x // 16
    c = np.where(y % 32 < 16, k % 8, (7 - k) % 8)
    planes = [np.where(c >> bit & 1, 255, 0) for bit in (2, 1, 0)]
    return np.stack(planes, axis=-1).astype(np.uint8)


FORMULAS = [
    ("Gray", 1, gray_1),
    ("Gray", 8, gray_8),
    ("Gray", 16, gray_16),
    ("Color", 1, rgb_1),
    ("Color", 8, rgb_8),
    ("Color", 16, rgb_16),
]


@pytest.mark.parametrize(("mode", "depth", "formula"), FORMULAS)
def test_a_page_is_what_the_formula_says(
    scanner: Scanner, mode: str, depth: int, formula: Any
) -> None:
    set_up(scanner, mode=mode, depth=depth, test_picture="Color pattern", resolution=100)
    page = scanner.scan().array
    expected = formula(*page.shape[:2])
    assert page.shape[:2] == (118, 314)
    assert page.dtype == expected.dtype
    assert np.array_equal(page, expected)


@pytest.mark.parametrize("order", ["RGB", "GBR", "BGR"])
@pytest.mark.parametrize(("depth", "formula"), [(1, rgb_1), (8, rgb_8), (16, rgb_16)])
def test_three_frames_make_one_page(scanner: Scanner, order: str, depth: int, formula: Any) -> None:
    set_up(scanner, mode="Color", depth=depth, test_picture="Color pattern")
    set_up(scanner, three_pass=True, three_pass_order=order)
    page = scanner.scan().array
    assert page.shape == (59, 157, 3)
    assert np.array_equal(page, formula(59, 157))


@pytest.mark.parametrize(("picture", "value"), [("Solid black", 0), ("Solid white", 1)])
@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("mode", ["Gray", "Color"])
def test_black_is_0_and_white_is_the_largest_value(
    scanner: Scanner, mode: str, depth: int, picture: str, value: int
) -> None:
    set_up(scanner, mode=mode, depth=depth, test_picture=picture)
    page = scanner.scan().array
    assert np.all(page == value * (65535 if depth == 16 else 255))
    assert page.shape == ((59, 157) if mode == "Gray" else (59, 157, 3))


def test_padding_is_cut_off(scanner: Scanner) -> None:
    set_up(scanner, test_picture="Color pattern", ppl_loss=7)
    page = scanner.scan().array
    assert page.shape == (59, 150)
    assert np.array_equal(page, gray_8(59, 150))


def test_a_page_of_unknown_height_is_as_long_as_its_data(scanner: Scanner) -> None:
    set_up(scanner, mode="Color", hand_scanner=True, test_picture="Color pattern")
    page = scanner.scan().array
    assert page.shape == (334, 216, 3)
    assert np.array_equal(page, rgb_8(334, 216))


def test_limited_reads_make_the_same_page(scanner: Scanner) -> None:
    set_up(scanner, test_picture="Color pattern", read_limit=True, read_limit_size=777)
    assert np.array_equal(scanner.scan().array, gray_8(59, 157))


def test_frames_are_the_bytes_as_they_come(scanner: Scanner) -> None:
    scanner.options.test_picture = "Solid white"
    ((params, data),) = scanner.frames()
    assert params.as_tuple() == (const.FRAME_GRAY, True, 157, 157, 59, 8)
    assert data == b"\xff" * 157 * 59


# Pages


def test_a_feeder_is_scanned_until_it_is_empty(scanner: Scanner) -> None:
    scanner.options.source = FEEDER
    assert sum(1 for _ in scanner.pages()) == 10
    assert sum(1 for _ in scanner.pages()) == 10


def test_a_loop_that_is_left_ends_the_job(scanner: Scanner) -> None:
    scanner.options.source = FEEDER
    pages = scanner.pages()
    assert next(pages).array.shape == (59, 157)
    pages.close()
    scanner.options.depth = 16  # no scan is active
    assert scanner.scan().array.dtype == np.uint16


def test_pages_of_three_frames_are_whole(scanner: Scanner) -> None:
    set_up(scanner, mode="Color", three_pass=True, source=FEEDER, test_picture="Color pattern")
    pages = list(scanner.pages())
    assert len(pages) == 10
    assert all(np.array_equal(page.array, rgb_8(59, 157)) for page in pages)


def test_a_page_without_numpy_has_its_rows(scanner: Scanner) -> None:
    set_up(scanner, mode="Color", depth=8, test_picture="Color pattern", three_pass=True)
    page = scanner.scan()
    assert (page.width, page.height, page.channels, page.depth) == (157, 59, 3, 8)
    assert bytes(page.rows()) == rgb_8(59, 157).tobytes()


# Options


def test_options_are_attributes_of_the_options(scanner: Scanner) -> None:
    options = scanner.options
    assert (options.mode, options.depth, options.resolution) == ("Gray", 8, 50.0)
    options.br_x = 99.6
    assert options.br_x == 100.0
    options.depth = 12
    assert options.depth == 8


def test_options_are_listed_by_name(scanner: Scanner) -> None:
    options = scanner.options
    assert list(options)[:3] == ["mode", "depth", "hand-scanner"]
    assert options["resolution"].unit == const.UNIT_DPI
    assert options["tl_x"].name == options["tl-x"].name == "tl-x"
    assert "" not in options
    assert "tl_x" in dir(options)


@pytest.mark.parametrize("name", ["no_such_option", "_private", "scan_mode_group", "resolutoin"])
def test_what_is_no_option_is_an_error(scanner: Scanner, name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(scanner.options, name)
    with pytest.raises(AttributeError):
        setattr(scanner.options, name, 1)
    with pytest.raises(KeyError):
        scanner.options[name] = 1


def test_an_option_shows_its_value(scanner: Scanner) -> None:
    assert "Cur value: 'Gray'\n" in repr(scanner.options["mode"])
    assert "Cur value: 50.0\n" in repr(scanner.options["resolution"])


def test_a_misspelt_option_is_told_with_those_that_are_meant(scanner: Scanner) -> None:
    with pytest.raises(AttributeError, match="test:0 has no option 'resolutoin'; it has resolut"):
        scanner.options.resolutoin = 300


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("mode", "Sepia", ValueError),
        ("mode", 5, TypeError),
        ("depth", "eight", TypeError),
        ("three_pass", True, AttributeError),  # inactive in mode Gray
        ("tl_x", float("nan"), ValueError),
        ("hand_scanner", 2, ValueError),
        ("red_gamma_table", 5, TypeError),
        ("gamma_table", (1, 2), ValueError),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    scanner: Scanner, name: str, value: Any, error: type[Exception]
) -> None:
    before = scanner.options.snapshot()
    with pytest.raises(error):
        scanner.options[name] = value
    assert scanner.options.snapshot() == before


def test_an_inactive_option_cannot_be_read(scanner: Scanner) -> None:
    with pytest.raises(AttributeError, match="Inactive option"):
        _ = scanner.options.three_pass


def test_a_button_is_pressed(scanner: Scanner, capfd: pytest.CaptureFixture[str]) -> None:
    scanner.options.enable_test_options = True
    scanner.options["button"].press()
    assert "[test] " in capfd.readouterr().err


# Errors


STATUSES = [name for name in const.STATUS_NAMES[1:] if name != "EOF"]


@pytest.mark.parametrize("name", STATUSES)
def test_a_status_is_an_exception(scanner: Scanner, name: str) -> None:
    scanner.options.read_return_value = f"SANE_STATUS_{name}"
    with pytest.raises(errors.SaneError) as caught:
        scanner.scan()
    assert caught.value.status == const.STATUS_NAMES.index(name)
    scanner.options.read_return_value = "Default"
    assert scanner.scan().array.shape == (59, 157)


@pytest.mark.parametrize("name", ["test:99", "nothing:0", "dll:x", "test:00"])
def test_an_unknown_device_is_invalid(api: Path, name: str) -> None:
    with pytest.raises(errors.Invalid):
        sane.Scanner(name)


def test_a_device_in_use_is_busy(scanner: Scanner) -> None:
    with pytest.raises(errors.DeviceBusy):
        sane.Scanner("test:0")
    sane.Scanner("test:1").close()


def test_a_closed_scanner_does_nothing_more(api: Path) -> None:
    scanner = sane.Scanner("test")
    scanner.close()
    scanner.close()
    scanner.cancel()
    with pytest.raises(errors.SaneError):
        scanner.scan()
    with pytest.raises(errors.SaneError):
        scanner.options.depth = 8
    sane.Scanner("test").close()


# Cancel


def test_cancel_from_another_thread_ends_a_scan(scanner: Scanner) -> None:
    """Each block of 65536 bytes comes after 0.2 s: the page would take a minute."""
    set_up(scanner, resolution=1200, read_delay=True, read_delay_duration=200000)
    set_up(scanner, br_x=200, br_y=200)
    outcome: list[BaseException | None] = []
    reading = threading.Event()

    def scan() -> None:
        try:
            params_and_data(scanner, reading)
            outcome.append(None)
        except BaseException as exc:
            outcome.append(exc)

    thread = threading.Thread(target=scan)
    thread.start()
    assert reading.wait(10)
    scanner.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(outcome[0], errors.SaneError)
    set_up(scanner, read_delay=False, resolution=50)
    assert scanner.scan().array.shape == (393, 393)


def params_and_data(scanner: Scanner, reading: threading.Event) -> None:
    reading.set()
    scanner.scan()


def test_cancel_of_an_idle_scanner_does_nothing(scanner: Scanner) -> None:
    scanner.cancel()
    scanner.cancel()
    assert scanner.scan().array.shape == (59, 157)


# Devices and life


def test_devices_are_listed(api: Path) -> None:
    found = [(item.name, item.vendor, item.model, item.type) for item in sane.get_devices()]
    rest = ("Noname", "frontend-tester", "virtual device")
    assert found == [("test:0", *rest), ("test:1", *rest)]


def test_everything_works_again_after_exit(api: Path) -> None:
    sane.exit()
    sane.exit()
    sane.init({"SANE_CONFIG_DIR": str(api)})
    with sane.Scanner("test") as scanner:
        assert scanner.scan().array.shape == (59, 157)
