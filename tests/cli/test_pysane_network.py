"""pysane with an emulated eSCL scanner: its JPEG untouched in a PDF, its feeder, its sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sane.testing.escl import Emulator, Scanner, feeder_model
from tests.support.pysane import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("pikepdf")
pytest.importorskip("sane.image.jpeg_encoder", reason="this tree is not compiled")

AREA = ("--area", "0,0,50,40", "-r", "75", "-m", "color")


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(Scanner(feeder_model(), sheets=3)) as emulator:
        yield emulator


@pytest.fixture
def program(tmp_path: Path, device: Emulator) -> Program:
    made = Program(tmp_path)
    (tmp_path / "sane.d" / "dll.conf").write_text("escl\n")
    (tmp_path / "sane.d" / "escl.conf").write_text(f"device {device.url}\n")
    return made


def images(program: Program, name: str) -> list[bytes]:
    """Return the pictures of a PDF as they lie in it."""
    import pikepdf

    with pikepdf.open(program.out / name) as pdf:
        pictures = [next(iter(page.Resources.XObject.values())) for page in pdf.pages]
        return [bytes(picture.read_raw_bytes()) for picture in pictures]


def test_the_scanners_own_jpeg_goes_into_the_pdf(program: Program, device: Emulator) -> None:
    name = program.json("list")["devices"][0]["name"]
    done = program.run("scan", name, *AREA, "-o", "x.pdf", "--keep-raw", "raw")
    assert done.returncode == 0, done.stderr
    (raw,) = (program.out / "raw").iterdir()
    assert raw.suffix == ".jpg"
    assert images(program, "x.pdf") == [raw.read_bytes()]


def test_both_sides_of_a_stack(program: Program, device: Emulator) -> None:
    found = program.json("scan", *AREA, "--source", "duplex", "-o", "x.pdf")
    assert [page["side"] for page in found["pages"]] == ["front", "back"] * 3
    assert program.pages("x.pdf") == 6


def test_a_jam_and_an_open_cover(program: Program, device: Emulator) -> None:
    device.scanner.is_jammed = True
    found = program.json("scan", *AREA, "--source", "feeder", "-o", "x.pdf", status=6)
    assert found["error"]["name"] == "JAMMED"
    device.scanner.is_jammed, device.scanner.is_cover_open = False, True
    found = program.json("scan", *AREA, "--source", "feeder", "-o", "x.pdf", status=8)
    assert found["error"]["name"] == "COVER_OPEN"
    assert program.files() == []
