"""epsonds on an emulated scanner, over TCP: images, the feeder, options, names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sane import errors
from sane.backends.epsonds import Backend
from sane.const import FRAME_GRAY, FRAME_RGB
from sane.testing.esci2 import reply
from tests.support.epsonds import MM, NAMES, Desk, read, rows, set_option


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


# What works


def test_the_image_is_what_lies_on_the_glass(desk: Desk) -> None:
    handle = desk.open(mode="Color", tl_x=5 * MM, tl_y=7 * MM)
    handle.start()
    params = handle.parameters()
    assert (params.format, params.pixels_per_line, params.lines) == (FRAME_RGB, 96, 51)
    assert read(handle, 333) == rows(desk.scanner, 51)


def test_a_frame_may_be_read_by_bytes(desk: Desk) -> None:
    handle = desk.open(mode="Lineart", br_x=4 * MM, br_y=2 * MM)
    handle.start()
    assert read(handle, 1) == bytes(255 - byte for byte in rows(desk.scanner, 8))


def test_both_sides_of_two_sheets_and_no_more(desk: Desk) -> None:
    desk.scanner.load(2)
    handle = desk.open(mode="Gray", source="ADF Duplex")
    for side in range(4):
        handle.start()
        assert handle.parameters().format == FRAME_GRAY
        assert read(handle) == rows(desk.scanner, 79, side)
    with pytest.raises(errors.NoDocs):
        handle.start()
    with pytest.raises(errors.NoDocs):
        handle.start()
    desk.scanner.load(1)
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)
    assert "CAN" not in desk.scanner.commands


def test_a_page_cut_to_its_paper(desk: Desk) -> None:
    desk.scanner.load(1, 50)
    handle = desk.open(mode="Gray", source="ADF Front", adf_crp=1)
    handle.start()
    assert handle.parameters().lines == 50
    assert read(handle) == rows(desk.scanner, 50)


def test_a_change_of_the_area_ends_cropping(desk: Desk) -> None:
    handle = desk.open(adf_crp=1)
    assert handle.get(NAMES.index("adf-crp"))[0] == 1
    set_option(handle, "tl-x", 3 * MM)
    assert handle.get(NAMES.index("adf-crp"))[0] == 0


def test_scanning_begins_anew_after_cancel(desk: Desk) -> None:
    handle = desk.open(mode="Gray")
    for _ in range(2):
        handle.start()
        handle.read(memoryview(bytearray(100)))
        handle.cancel_request.set()
        handle.cancelled()
        assert desk.scanner.commands[-1] == "CAN"
        with pytest.raises(errors.Cancelled):
            handle.read(memoryview(bytearray(100)))
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


def test_cancel_wakes_a_read(desk: Desk) -> None:
    handle = desk.open(mode="Gray")
    handle.start()
    desk.scanner.inject("IMG", *[reply(b"IMG")] * 1000)
    handle.cancel_request.set()
    with pytest.raises(errors.Cancelled):
        read(handle)
    handle.cancelled()
    assert desk.scanner.commands[-1] == "CAN"
    desk.works_again()


def test_cancel_at_the_scanner(desk: Desk) -> None:
    handle = desk.open()
    handle.start()
    desk.scanner.is_cancel_pressed = True
    with pytest.raises(errors.Cancelled):
        read(handle)
    assert desk.scanner.commands[-1] == "CAN"
    desk.works_again()


def test_the_device_is_listed_with_its_name(desk: Desk) -> None:
    found = desk.registry.get_devices()
    assert [(device.name, device.model) for device in found] == [(desk.name, "DS-EMU")]
    assert desk.registry.get_devices(local_only=True) == []
    assert desk.scanner.commands[-1] == "FIN"


def test_a_profile_gives_the_name(desk: Desk) -> None:
    text = f"profile:0x0199,DS-EMU,ES-999W,2\nnet {desk.server.address[0]}\nwhat is this\n"
    (desk.folder / "epsonds.conf").write_text(text)
    desk.registry.exit()
    assert [device.model for device in desk.registry.get_devices()] == ["ES-999W"]


def test_scanners_that_announce_themselves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for avahi-browse; a scanner counts if its name and its model are known."""
    address = desk.server.address[0]
    rows = [
        ("EPSON DS-530 (1A2B3C)", "mdl=DS-530", address),
        ("EPSON DS-530 (1A2B3C)", "mdl=DS-530", "127.0.0.1"),
        ("EPSON X-1", "mdl=X-1", "127.0.0.1"),
        ("EPSON", "mdl=DS-530", "127.0.0.1"),
        ("Other DS-530", "mdl=DS-530", "127.0.0.1"),
    ]
    lines = [
        f'=;lo;IPv4;{name};_scanner._tcp;local;a.local;{where};1865;"{text}"'
        for name, text, where in rows
    ]
    (desk.folder / "lines").write_text("\n".join(lines))
    program = desk.folder / "avahi-browse"
    program.write_text(f"#!/bin/sh\necho $* > {desk.folder}/asked\ncat {desk.folder}/lines\n")
    program.chmod(0o755)
    monkeypatch.setattr("sane.discovery.dnssd.PROGRAM", str(program))
    (desk.folder / "epsonds.conf").write_text("net autodiscovery\n")
    desk.registry.exit()
    assert [device.name for device in desk.registry.get_devices()] == [f"net:{address}"]
    assert (desk.folder / "asked").read_text().split()[1:] == ["_scanner._tcp"]


@pytest.mark.parametrize("name", ["net:", "nonsense", "libusb:001:999"])
def test_names_of_nothing(desk: Desk, name: str) -> None:
    with pytest.raises(errors.Invalid):
        desk.registry.open(name)


def test_a_second_user_finds_it_busy(desk: Desk) -> None:
    desk.open()
    with pytest.raises(errors.DeviceBusy):
        desk.registry.open(desk.name)


@pytest.mark.parametrize("area", [(9, 9, 1, 1), (0, 0, 1, 20), (5, 5, 5, 5)])
def test_an_area_without_pixels(desk: Desk, area: tuple[int, ...]) -> None:
    handle = desk.open()
    for name, mm in zip(("tl-x", "tl-y", "br-x", "br-y"), area, strict=True):
        set_option(handle, name, mm * MM)
    params = handle.parameters()
    assert params.pixels_per_line >= 8 and params.lines >= 1
    with pytest.raises(errors.Invalid, match="the scan area"):
        handle.start()


def test_the_backend_has_the_version_of_the_original() -> None:
    assert Backend.version == (1, 0, 0)
