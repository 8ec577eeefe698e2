"""configure(): words that every driver understands, all of them or nothing; capabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sane
from sane import const, errors, option
from sane.api import vocabulary
from sane.backend import Device, Parameters
from tests.fakes.sheets import Sheets, opened

FEEDER = "Automatic Document Feeder"


@pytest.mark.parametrize(
    ("wanted", "applied", "page"),
    [
        ({"mode": "color"}, {"mode": "Color"}, ("color", 8)),
        ({"mode": "gray"}, {"mode": "Gray"}, ("gray", 8)),
        ({"mode": "lineart"}, {"mode": "Gray"}, ("lineart", 1)),
        ({"mode": "Color", "depth": 16}, {"mode": "Color", "depth": 16}, ("color", 16)),
        ({"source": "feeder"}, {"source": FEEDER}, ("gray", 8)),
        ({"source": "flatbed", "resolution": 75}, {"source": "Flatbed", "resolution": 75}, None),
        ({"resolution": "min"}, {"resolution": 1}, None),
        ({"test_picture": "grid"}, {"test_picture": "Grid"}, None),
        ({"three_pass": True, "mode": "color"}, {"three_pass": True, "mode": "Color"}, None),
    ],
)
def test_what_was_asked_is_what_is_scanned(
    scanner: sane.Scanner, wanted: dict[str, Any], applied: dict[str, Any], page: Any
) -> None:
    found = scanner.configure(**wanted)
    assert dict(found) == applied
    assert found.inexact == []
    if page is not None:
        scanned = scanner.scan()
        assert (scanned.mode, scanned.depth) == page


def test_line_art_is_left_again(scanner: sane.Scanner) -> None:
    scanner.configure(mode="lineart")
    scanner.configure(mode="gray")
    assert scanner.scan().depth == 8


def test_what_the_driver_rounds_is_inexact(scanner: sane.Scanner) -> None:
    found = scanner.configure(resolution=100.4, area=(0, 0, 10.3, 20))
    assert found["resolution"] == 100
    assert found["area"] == (0, 0, 10, 20)
    assert found.inexact == ["resolution", "area"]


@pytest.mark.parametrize(
    ("page_size", "size"),
    [
        ("a6", (105, 148)),
        ("105x148mm", (105, 148)),
        ("4x5in", (102, 127)),
        ("10 x 5 cm", (100, 50)),
    ],
)
def test_sizes_of_pages(scanner: sane.Scanner, page_size: str, size: tuple[int, int]) -> None:
    assert scanner.configure(page_size=page_size)["page_size"] == (0, 0, *size)


def test_a_page_larger_than_the_bed_is_cut_and_told(scanner: sane.Scanner) -> None:
    found = scanner.configure(page_size="a4")
    assert found["page_size"] == (0, 0, 200, 200)
    assert found.inexact == ["page_size"]


def test_an_area_may_move_in_any_direction(scanner: sane.Scanner) -> None:
    for area in ((0, 0, 10, 10), (150, 150, 40, 40), (0, 100, 200, 10), "max", (50, 50, 1, 1)):
        found = scanner.configure(area=area)
        assert found["area"] == ((0, 0, 200, 200) if area == "max" else area)
        assert found.inexact == []


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"mode": "sepia"}, "'sepia': possible are Gray, Color"),
        ({"source": "film"}, f"'film': possible are Flatbed, {FEEDER}"),
        ({"source": "duplex"}, f"possible are Flatbed, {FEEDER}"),
        ({"resolution": 40000}, "resolution 40000 is outside 1 to 1200 dpi"),
        ({"depth": 12}, "depth 12: possible are 1, 8, 16"),
        ({"area": (250, 0, 10, 10)}, "the bed is 200 x 200 mm"),
        ({"area": (-5, 0, 10, 10)}, "the bed begins at 0, 0 mm"),
        ({"area": (0, 0, 0, 10)}, "the bed is"),
        ({"resolutoin": 100}, "no option 'resolutoin'; it has resolution"),
        ({"test_picture": "Nothing"}, "possible are Solid black"),
        ({"three_pass_order": "RGB"}, "the option is not active"),
        ({"page_size": "a4a"}, "'a4a' is none of a3, a4"),
        ({"page_size": "0x10mm"}, "nor like 210x297mm"),
        ({"page_size": "nanx10mm"}, "nor like 210x297mm"),
    ],
)
def test_a_setting_that_cannot_be_leaves_all_as_it_was(
    scanner: sane.Scanner, wanted: dict[str, Any], text: str
) -> None:
    scanner.configure(mode="color", resolution=75, area=(10, 10, 50, 50))
    before = scanner.options.snapshot()
    with pytest.raises((errors.Unsupported, errors.Invalid), match=text):
        scanner.configure(**{"source": "feeder", "mode": "gray", "resolution": 300, **wanted})
    assert scanner.options.snapshot() == before


def test_a_driver_that_refuses_in_the_midst_leaves_all_as_it_was() -> None:
    class Refusing(Sheets):
        quality = option.Int("Quality", "", (1, 2, 3))

        @quality.changed
        def _refuse(self) -> None:
            raise errors.DeviceIOError("the lamp is broken")

    with opened(Refusing()) as found:
        before = found.options.snapshot()
        with pytest.raises(errors.DeviceIOError, match="lamp"):
            found.configure(source="flatbed", resolution=300, quality=3)
        assert found.options.snapshot() == before


class Sticking(Sheets):
    """One option cannot be set back; another one is inactive once it was."""

    quality = option.Int("Quality", "", (1, 2, 3), default=1)
    gone = option.Int("Gone", "", (1, 2), active=lambda device: not device.has_changed)
    has_changed = False

    @quality.on_set
    def _stick(self, value: int) -> int:
        if self.has_changed:
            raise errors.DeviceIOError("the lamp is broken")
        self.has_changed = True
        return value


def test_an_error_says_first_what_was_wrong_then_what_is_not_as_before() -> None:
    """It named neither the setting nor its value; inactive options counted as not set back."""
    with opened(Sticking()) as found:
        with pytest.raises(errors.Unsupported) as caught:
            found.configure(quality=3, nosuch=1)
        text = "fake has no option 'nosuch'; not as before: quality: the lamp is broken"
        assert str(caught.value) == text.replace("fake", found.name)
        assert caught.value.option == "nosuch"
        assert found.options.quality == 3


def test_what_is_inactive_now_was_set_back(scanner: sane.Scanner) -> None:
    """The gamma tables are active until the test options were on and off."""
    with pytest.raises(errors.Unsupported) as caught:
        scanner.configure(enable_test_options=True, nosuch=1)
    assert str(caught.value) == "test:0 has no option 'nosuch'"


@pytest.mark.parametrize(
    ("wanted", "kind", "text"),
    [
        ({"mode": 3}, TypeError, "mode 3 is no text"),
        ({"source": b"ADF"}, TypeError, "source b'ADF' is no text"),
        ({"page_size": 7}, TypeError, "page_size 7 is no text"),
        ({"page_size": ("a4",)}, TypeError, r"page_size \('a4',\) is no text"),
        ({"resolution": "100"}, errors.Invalid, "resolution '100' is neither a number nor max or"),
        ({"resolution": [75]}, TypeError, r"resolution \[75\] is neither"),
        ({"area": "full"}, errors.Invalid, "area 'full' is neither left, top"),
        ({"area": (1, 2)}, errors.Invalid, r"area \(1, 2\) is neither"),
        ({"area": (1, 2, "a", 4)}, TypeError, r"area \(1, 2, 'a', 4\) is neither"),
        ({"area": 5}, TypeError, "area 5 is neither"),
        ({"tl_x": "a"}, TypeError, "tl-x 'a': SANE_FIXED requires"),
        ({"hand_scanner": "yes"}, TypeError, "hand-scanner 'yes': SANE_INT and"),
        ({"test_picture": 3}, TypeError, "test-picture 3: SANE_STRING requires"),
    ],
)
def test_a_setting_of_a_wrong_type_is_named_with_its_value(
    scanner: sane.Scanner, wanted: dict[str, Any], kind: type[Exception], text: str
) -> None:
    before = scanner.options.snapshot()
    with pytest.raises(kind, match=f"configure: {text}"):
        scanner.configure(**{"depth": 16, **wanted})
    assert scanner.options.snapshot() == before


def test_numbers_of_other_libraries_are_settings(scanner: sane.Scanner) -> None:
    wanted = scanner.configure(
        resolution=np.float32(100), area=(0, 0, np.float64(20), 10), depth=np.int64(8)
    )
    assert wanted["resolution"] == 100
    assert wanted.inexact == []


NAN = float("nan")
SANE: Any = sane  # whose arguments are wrong on purpose


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda s: SANE.Scanner(None), TypeError, "a DeviceInfo, not None"),
        (lambda s: SANE.Scanner(b"test"), TypeError, "a DeviceInfo, not b'test'"),
        (lambda s: SANE.Scanner("test", timeout="x"), TypeError, "Scanner: a timeout 'x' is no"),
        (lambda s: SANE.Scanner("test", timeout=NAN), errors.Invalid, "timeout nan is no time"),
        (lambda s: SANE.devices(timeout=NAN), errors.Invalid, "devices: a timeout nan is no time"),
        (lambda s: SANE.devices(timeout="x"), TypeError, "devices: a timeout 'x' is no number"),
        (lambda s: SANE.devices(backend=5), TypeError, "devices: backend 5 is no text"),
        (lambda s: SANE.find(5), TypeError, "find: text 5 is no text"),
        (lambda s: SANE.find(vendor=5), TypeError, "find: vendor 5 is no text"),
        (lambda s: SANE.watch(interval=NAN), errors.Invalid, "watch: an interval nan"),
        (lambda s: s.scan(timeout="x"), TypeError, "scan: a timeout 'x' is no number"),
        (lambda s: s.scan(timeout=NAN), errors.Invalid, "scan: a timeout nan is no time"),
        (lambda s: s.pages(timeout="x"), TypeError, "pages: a timeout 'x' is no number"),
        (lambda s: s.pages(limit="3"), TypeError, "pages: a limit '3' is no whole number"),
        (lambda s: s.pages(limit=1.5), TypeError, "pages: a limit 1.5 is no whole number"),
        (lambda s: s.pages(limit=0), errors.Invalid, "pages: a limit of 0"),
        (lambda s: s.pages(prefetch=None), TypeError, "pages: a prefetch None is no whole"),
        (lambda s: s.pages(prefetch=-1), errors.Invalid, "pages: a prefetch of -1"),
        (lambda s: s.stream(chunk_rows="x"), TypeError, "stream: chunk_rows 'x' is no whole"),
        (lambda s: s.stream(chunk_rows=0), errors.Invalid, "stream: chunk_rows of 0"),
        (lambda s: s.wait_button(timeout="x"), TypeError, "wait_button: a timeout 'x' is no"),
        (lambda s: s.wait_button(interval=NAN), errors.Invalid, "wait_button: an interval nan"),
        (lambda s: s.options[5], KeyError, "5"),
    ],
)
def test_an_argument_of_a_wrong_type_is_named_with_its_value(
    scanner: sane.Scanner, call: Callable[[Any], object], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call(scanner)
    assert scanner.state == "idle"


@pytest.mark.parametrize("side", [0, -5])
def test_a_preview_has_at_least_a_pixel(scanner: sane.Scanner, side: int) -> None:
    with scanner.stream() as rows:
        next(rows)
        with pytest.raises(errors.Invalid, match=f"preview: a max_side of {side}"):
            rows.preview(side)
        assert rows.preview(1).size == 1


def test_a_text_is_one_backend() -> None:
    """It was taken for the names t, e, s and t, and nothing was listed."""
    with sane.Session(config={"dll.conf": "nosuch"}, backends="test") as session:
        assert [device.name for device in session.devices()] == ["test:0", "test:1"]
    with pytest.raises(TypeError, match="backends: 5 is no text"):
        sane.Session(backends=["test", 5])  # type: ignore[list-item]
    sane.exit()
    sane.configure(backends="test")
    try:
        assert "test:0" in [device.name for device in sane.devices()]
    finally:
        sane.exit()
        sane.configure()


def test_snapshots_bring_back_what_depends_on_other_options(scanner: sane.Scanner) -> None:
    scanner.configure(mode="color", three_pass=True, three_pass_order="BGR", resolution=70)
    kept = scanner.options.snapshot()
    scanner.configure(three_pass=False, resolution=100)
    scanner.configure(mode="gray")
    scanner.options.restore(kept)
    assert scanner.options.snapshot() == kept
    with pytest.raises(errors.Unsupported, match=r"not as before: nothing: .* no such option"):
        scanner.options.restore({"nothing": 1})


def test_first_of_several_values(scanner: sane.Scanner) -> None:
    source = scanner.options["source"]
    assert source.set_first("ADF Duplex", FEEDER, "Flatbed") == FEEDER
    assert scanner.options.source == FEEDER


def test_options_as_a_dictionary(scanner: sane.Scanner) -> None:
    import json

    found = json.loads(json.dumps(scanner.options.to_dict()))
    assert found["resolution"]["range"] == [1, 1200, 1]
    assert found["mode"]["choices"] == ["Gray", "Color"]
    assert found["mode"]["value"] == "Gray"
    assert found["mode"]["group"] == "Scan Mode"
    assert set(found) == set(scanner.options)
    groups = dict(scanner.options.groups)
    assert [item.name for item in groups["Geometry"]] == ["tl-x", "tl-y", "br-x", "br-y"]


def test_capabilities_of_the_test_device(scanner: sane.Scanner) -> None:
    before = scanner.options.snapshot()
    found = scanner.capabilities
    assert found.sources == ("flatbed", "feeder")
    assert not found.duplex
    assert found.modes == ("color", "gray", "lineart")
    assert found.depths == (1, 8, 16)
    limits = found.resolutions["feeder"]
    assert isinstance(limits, sane.Range)
    assert (limits.min, limits.max) == (1, 1200)
    assert found.area["flatbed"] == (200, 200)
    assert scanner.options.snapshot() == before
    assert found.to_dict()["resolutions"]["flatbed"] == [1, 1200, 1]
    assert scanner.capabilities is found


class Pixels(Device):
    """Corners in pixels, both resolutions, ADF mode for both sides, paper sizes."""

    source = option.source("Flatbed", "ADF")
    adf_mode = option.String("ADF mode", "", ("Simplex", "Duplex"))
    x_resolution = option.Int("X", "", (100, 200), unit=const.UNIT_DPI)
    y_resolution = option.Int("Y", "", (100, 200), unit=const.UNIT_DPI)
    page_width = option.Fixed("W", "", option.Range(0, 200), unit=const.UNIT_MM, default=100)
    tl_x = option.Int("tl_x", "", option.Range(0, 850), unit=const.UNIT_PIXEL)
    tl_y = option.Int("tl_y", "", option.Range(0, 1100), unit=const.UNIT_PIXEL)
    br_x = option.Int("br_x", "", option.Range(0, 850), unit=const.UNIT_PIXEL, default=850)
    br_y = option.Int("br_y", "", option.Range(0, 1100), unit=const.UNIT_PIXEL, default=1100)

    def parameters(self) -> Parameters:
        return Parameters(const.FRAME_GRAY, 1, 1)


def test_corners_in_pixels_and_sides_by_another_option() -> None:
    with opened(Pixels()) as found:
        assert found.capabilities.duplex
        assert found.capabilities.sources == ("flatbed", "feeder", "duplex")
        assert found.configure(source="duplex", resolution=100).inexact == []
        assert (found.options.adf_mode, found.options.y_resolution) == ("Duplex", 100)
        applied = found.configure(area=(25.4, 50.8, 25.4, 25.4))
        assert applied.inexact == []
        corners = [found.options[name].value for name in ("tl-x", "tl-y", "br-x", "br-y")]
        assert corners == [100, 200, 200, 300]
        found.configure(source="feeder", page_size="a6")
        assert (found.options.adf_mode, found.options.page_width) == ("Simplex", 105)


@pytest.mark.parametrize(
    ("words", "table", "wanted", "found"),
    [
        (("Halftone", "Lineart", "Gray"), "mode", "lineart", "Lineart"),
        (("Black & White", "True Gray", "24bit Color"), "mode", "lineart", "Black & White"),
        (("Black & White", "True Gray", "24bit Color"), "mode", "gray", "True Gray"),
        (("24bit Color[Fast]", "24bit Color"), "mode", "color", "24bit Color"),
        (("Error Diffusion", "Grayscale", "Binary"), "mode", "lineart", "Binary"),
        (("Color24", "Gray8"), "mode", "color", "Color24"),
        (("ADF Back", "ADF Front", "ADF Duplex"), "source", "feeder", "ADF Front"),
        (("ADF Back", "ADF Front", "ADF Duplex"), "source", "duplex", "ADF Duplex"),
        (("FlatBed", "Transparency Unit"), "source", "flatbed", "FlatBed"),
        (("FlatBed", "Transparency Unit"), "source", "film", "Transparency Unit"),
        (("Document Table", "Document Feeder"), "source", "flatbed", "Document Table"),
        (("Normal", "Negative"), "source", "flatbed", "Normal"),
        (("Gray",), "mode", "color", None),
    ],
)
def test_words_of_drivers(words: Any, table: str, wanted: str, found: str | None) -> None:
    assert vocabulary.best(words, wanted, table) == found
