"""The new API on emulated scanners: a duplex feeder, a device that sends JPEG, buttons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sane import Scanner, errors
from sane.testing.escl import Scanner as Machine
from sane.testing.escl import feeder_model
from tests.support.escl import Desk, both_formats, png_model


@pytest.fixture
def desk() -> Iterator[Desk]:
    found = Desk(Machine(png_model()))
    yield found
    found.close()


def test_a_stack_with_both_sides(desk: Desk) -> None:
    desk.scanner.load(2)
    with Scanner.around(desk.open(), "escl:x") as scanner:
        assert scanner.capabilities.sources == ("flatbed", "feeder", "duplex")
        scanner.configure(source="duplex", mode="gray", resolution=75, area=(0, 0, 50, 30))
        pages = list(scanner.pages())
        assert [page.side for page in pages] == ["front", "back"] * 2
        assert {page.mode for page in pages} == {"gray"}
        assert pages[0].size_mm == pytest.approx((50, 30), abs=0.5)
        with pytest.raises(errors.NoDocs):
            next(scanner.pages())
        scanner.configure(source="flatbed")
        assert len(list(scanner.pages())) == 1


def test_the_devices_own_page_is_kept() -> None:
    desk = Desk(Machine(both_formats(feeder_model())))
    try:
        with Scanner.around(desk.open(), "escl:x") as scanner:
            scanner.configure(source="flatbed", mode="color", resolution=75, area=(0, 0, 20, 20))
            assert scanner.encoded == ("image/jpeg",)
            document = scanner.document()
            assert document.startswith(b"\xff\xd8")
            try:
                page = scanner.scan(keep="image/jpeg")
            except errors.Unsupported:
                pytest.skip("this tree decodes no JPEG")
            assert page.encoded["image/jpeg"].startswith(b"\xff\xd8")
            assert scanner.scan().encoded == {}
            with pytest.raises(errors.Unsupported, match="image/png is not what the device sends"):
                scanner.scan(keep="image/png")
            assert scanner.state == "idle"
    finally:
        desk.close()
