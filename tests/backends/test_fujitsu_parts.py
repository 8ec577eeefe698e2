"""fujitsu: commands, capabilities, options and replies, without a scanner."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends.fujitsu import capabilities as c
from sane.backends.fujitsu import commands, models, modepages, replies, steps, tables, window
from sane.backends.fujitsu.settings import Settings
from sane.testing.fujitsu.model import model_named
from tests.backends import fujitsu_samples as samples

LAMP = "F1050000000000000000"


def settings_of(model: str, options: str) -> Settings:
    found = samples.capabilities(model)
    device, handle = samples.options(found)
    samples.set_options(handle, options)
    settings = Settings(device, found)
    handle.close()
    return settings


@pytest.mark.parametrize("vector", samples.vectors()[1:], ids=lambda v: v.name)
def test_the_commands_before_a_batch_are_the_originals(vector: samples.Vector) -> None:
    wanted = vector.commands[1 : [cdb for cdb, _data in vector.commands].index(LAMP)]
    made = list(steps.before_batch(settings_of(vector.model, vector.options)))
    assert [step.cdb.hex().upper() for step in made] == [cdb for cdb, _data in wanted]
    for step, (_cdb, data) in zip(made, wanted, strict=True):
        assert step.out.hex().upper().startswith(data)


def test_every_processing_bit_of_a_window() -> None:
    """Source: 2.7, the two samples of DTC."""
    window_of = window.descriptor
    mode = "--mode Lineart --threshold 100"  # without it the scanner has its other processing
    off = window_of(settings_of("fi-7260", f"--source 'ADF Front' {mode} --gamma-curve 1"))
    assert off[0x2F:0x31] == bytes.fromhex("A820")
    text = "--bp-filter=yes --smoothing=yes --gamma-curve 2 --threshold-curve 5"
    text += " --threshold-white=yes --noise-removal=yes --matrix-5x5=yes --matrix-3x3=yes"
    on = window_of(settings_of("fi-7260", f"{mode} {text}"))
    assert on[0x2F:0x31] == bytes.fromhex("1515")
    assert (off[0x3E], on[0x3E]) == (0x40, 0x40)


@pytest.mark.parametrize(
    ("value", "byte"), [(0, 0), (5, 5), (127, 127), (-1, 0x80), (-3, 0x82), (-128, 0xFF)]
)
def test_emphasis_as_a_byte(value: int, byte: int) -> None:
    assert window.emphasis(value) == byte


def test_a_brightness_table_is_clamped_at_both_ends() -> None:
    steep = tables.lut(8, 0, 127)[10:]
    assert (len(steep), steep[0], steep[127], steep[129], steep[255]) == (256, 0, 0, 255, 255)
    assert set(tables.lut(10, 127, -127)[10:]) == {255}
    assert tables.lut(8, 0, 0)[10:14] == bytes((0, 0, 1, 2))


@pytest.mark.parametrize(
    ("model", "options", "text", "counter"),
    [
        ("fi-5950", "", "8001" + "00" * 8 + "00000100000000" + "05" + b"%05ud".hex(), "80800000"),
        (
            "fi-5950",
            "--endorser=yes --endorser-side Front --endorser-bits 24 --endorser-val 65536"
            " --endorser-step=-2 --endorser-font 'Vertical bold' --endorser-dir 'Bottom to top'"
            " --endorser-string A --endorser-y 25.4",
            "8032" + "00000000" + "000004B0" + "01000700000000" + "01" + b"A".hex(),
            "802000010000",
        ),
    ],
)
def test_what_the_endorser_is_told(model: str, options: str, text: str, counter: str) -> None:
    settings = settings_of(model, options)
    assert tables.endorser_text(settings).hex().upper() == text.upper()
    assert tables.endorser_counter(settings).hex().upper() == counter


def test_mode_pages_of_crop_and_double_feed() -> None:
    settings = settings_of("fi-7260", "--df-action Continue")
    assert modepages.double_feed(settings)[6] == 0xC0
    text = "--df-action Stop --df-length=yes --df-diff 20mm --df-skew=yes"
    assert modepages.double_feed(settings_of("fi-7260", text))[6] == 0xAB


def test_times_are_told_in_steps() -> None:
    assert commands.power_off(0)[16:] == b"\x80\0"
    assert commands.power_off(240)[16:] == b"\x10\0"
    assert commands.power_off(16)[16:] == b"\x02\0"


# Capabilities


@pytest.mark.parametrize(
    ("product", "found"),
    [
        ("ScanSnap iX500", "software_modes"),
        ("fi-7260", "lengths"),
        ("M3093DG", "lut_bits"),
        ("fi-6240dj", "flatbed"),
        ("fi-4220C2", "overscan"),
    ],
)
def test_quirks_go_by_parts_of_the_name(product: str, found: str) -> None:
    assert getattr(models.quirks_of(product), found) != getattr(models.Quirks(), found)


def test_paper_may_be_longer_at_low_resolutions() -> None:
    found = samples.capabilities("fi-7160")
    assert [found.length(dpi) for dpi in (600, 400, 300, 201, 200, 50)] == [
        *(129960, 194268, 260268, 260268, 266268, 266268)
    ]


def test_an_old_page_is_completed() -> None:
    raw = bytearray(204)
    raw[4] = 19
    page, end = c.completed(bytes(raw[:24]), "M3097GDim")
    assert (page[0x20], page[0x58], page[0x59], page[0x5A], page[0x23]) == (
        *(0xC2, 0xFF, 0xC0, 0xE0, 0x40),
    )
    assert end == 0x67
    page, _end = c.completed(bytes(raw[:24]), "M3099GX")
    assert page[0x20] == 0
    with pytest.raises(errors.DeviceIOError):
        c.completed(bytes(raw[:24]), "fi-4120C")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"b05": 0, "b06": 0}, "basic resolution 0 x 600"),
        ({"b14": 0, "b15": 0, "b16": 0, "b17": 0}, "window of 0 x"),
        ({"b1C": 0}, "no mode"),
        ({"b20": 0}, "neither flatbed nor feeder"),
        ({"b09": 0}, "no resolution"),
        ({"b0E": 0xFF}, "resolutions from"),
    ],
)
def test_capabilities_that_make_no_sense(fields: dict[str, int], text: str) -> None:
    with pytest.raises(errors.DeviceIOError, match=text):
        samples.capabilities("fi-7260", **fields)


@pytest.mark.parametrize("size", [0, 4, 20, 94])
def test_a_page_that_was_cut_off(size: int) -> None:
    page = model_named("fi-7260").page_f0()
    with pytest.raises(errors.DeviceIOError, match=f"{size} bytes"):
        c.Capabilities(c.Identity(model_named("fi-7260").standard()), page[:size])


def test_a_page_shorter_than_it_says_counts_as_zeros() -> None:
    model = model_named("fi-7260")
    found = c.Capabilities(c.Identity(model.standard()), model.page_f0()[:100])
    assert (found.has_off_timer, found.has_dtc, found.overscan_x) == (False, True, 0)


@pytest.mark.parametrize(
    ("place", "value"), [(0, 0), (8, 0x41), (0x10, 0)], ids=["type", "vendor", "product"]
)
def test_what_is_no_scanner_of_the_family(place: int, value: int) -> None:
    raw = bytearray(model_named("fi-7260").standard())
    raw[place] = value
    raw[0x11:0x20] = bytes(15) if place == 0x10 else raw[0x11:0x20]
    with pytest.raises(errors.DeviceIOError, match="no scanner of this family"):
        c.Identity(bytes(raw))
    with pytest.raises(errors.DeviceIOError, match="95 of 96"):
        c.Identity(bytes(raw[:95]))


SOURCES = ("Flatbed", "ADF Front", "ADF Back", "ADF Duplex")


@pytest.mark.parametrize(
    ("model", "sources", "modes"),
    [
        ("fi-7260", SOURCES, ("Lineart", "Halftone", "Gray", "Color")),
        ("iX500", SOURCES[1:], ("Lineart", "Gray", "Color")),
        ("iX100", ("ADF Front",), ("Lineart", "Gray", "Color")),
        ("M3091", ("ADF Front", "ADF Duplex"), ("Lineart", "Gray", "Color")),
        (
            "fi-800R",
            (*SOURCES[1:], "Card Front", "Card Back", "Card Duplex"),
            ("Lineart", "Halftone", "Gray", "Color"),
        ),
    ],
)
def test_sources_and_modes(model: str, sources: tuple[str, ...], modes: tuple[str, ...]) -> None:
    found = samples.capabilities(model)
    assert (found.sources, found.all_modes) == (sources, modes)


# Replies


def test_sensors_of_both_kinds() -> None:
    raw = bytes.fromhex("0000 8A 01 24 07 81 33 00 05 40 00")
    found = replies.hardware_status(raw)
    on = {name for name, value in found.items() if value == 1}
    assert on == {
        *("top_edge", "a3_paper", "a4_paper", "card_loaded", "page_loaded", "email", "scan"),
        *("ink_low", "double_feed"),
    }
    assert (found["function"], found["error_code"], found["skew_angle"], found["ink_remain"]) == (
        *(7, 0x33, 5, 64),
    )
    assert "ink_remain" not in replies.hardware_status(raw[:10])
    old = bytearray(18)
    old[12], old[13], old[15] = 0x80, 0x95, 0x2B
    assert replies.sense_status(bytes(old)) == {
        **{"cover_open": 1, "email": 0, "scan": 1, "duplex": 1, "top_edge": 0, "page_loaded": 1},
        **{"function": 5, "density": 3, "double_feed": 0},
    }


def test_a_serial_number_is_signed() -> None:
    assert replies.serial_number(bytes.fromhex("FFFFFFFE").ljust(10)) == "-2"


@given(st.binary(max_size=240), st.sampled_from(("fi-7260", "M3097Gim", "iX500", "")))
def test_any_bytes_are_capabilities_or_an_error(raw: bytes, product: str) -> None:
    standard = bytearray(model_named("fi-7260").standard())
    standard[16:32] = product.ljust(16).encode()
    try:
        found = c.Capabilities(c.Identity(bytes(standard)), raw)
    except errors.DeviceIOError:
        return
    check_options(found)


@given(st.data())
def test_any_bits_of_a_page_make_options(data: st.DataObject) -> None:
    page = bytearray(model_named("fi-7260").page_f0())
    for place in data.draw(st.lists(st.integers(5, len(page) - 1), max_size=20)):
        page[place] = data.draw(st.integers(0, 255))
    identity = c.Identity(model_named("fi-7260").standard())
    try:
        found = c.Capabilities(identity, bytes(page))
    except errors.DeviceIOError:
        return
    check_options(found)


def check_options(found: c.Capabilities) -> None:
    """Check that options can be made of it, and a window of each mode and source."""
    found.usable = frozenset(modepages.PROBED)
    device, handle = samples.options(found)
    for source in found.sources:
        for mode in found.all_modes:
            samples.set_option(handle, "source", source)
            samples.set_option(handle, "mode", mode)
            chosen = Settings(device, found)
            assert chosen.width_px >= 0 <= chosen.lines
            list(steps.before_batch(chosen))
    handle.close()


@pytest.mark.parametrize(
    "decode",
    [replies.PixelSize, replies.hardware_status, replies.sense_status, replies.serial_number],
)
@given(raw=st.binary(max_size=64))
def test_any_bytes_are_a_reply_or_an_error(decode: Any, raw: bytes) -> None:
    try:
        decode(raw)
    except errors.DeviceIOError as exc:
        assert str(len(raw)) in str(exc) or raw[:16].hex(" ") in str(exc)


@given(st.binary(max_size=120))
def test_any_bytes_are_an_identity_or_an_error(raw: bytes) -> None:
    try:
        found = c.Identity(raw)
    except errors.DeviceIOError:
        return
    assert found.vendor in c.VENDORS
