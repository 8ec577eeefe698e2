"""The parts of epsonds without I/O: tokens, capabilities, parameters, pages, configuration."""

from __future__ import annotations

import random

import pytest

from sane import errors
from sane.backends.epsonds import Backend, models
from sane.backends.epsonds.capabilities import Bed, Capabilities
from sane.backends.epsonds.commands import error, reply_size
from sane.backends.epsonds.parameters import Geometry, ScanParameters, gamma_tables
from sane.backends.epsonds.tokens import number, numbers, parse, text
from sane.config import Line
from sane.option import Range

INFO = b"#PRDh006DS-530#VERh0041.00#FB AREAi0000850i0001170#ADFAREAd850i0001400#ADFALGNCNTR#---"
CAPA = b"#ADFDPLX#ADFCRP #COLLISTM001C024#FMTLISTRAW JPG #RSMRANGi0000050i0001200#---"


def capabilities(info: bytes = INFO, capa: bytes = CAPA) -> Capabilities:
    return Capabilities(parse(info), parse(capa), list(models.MODELS))


# Tokens


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        (b"", []),
        (b"#---#FB ", []),
        (b"#FB #ADFDPLX", [("FB ", b""), ("ADF", b"DPLX")]),
        (b"#PRDh004a#\0b#VERx", [("PRD", b"h004a#\0b"), ("VER", b"x")]),
        (b"#PRDh0FFshort", [("PRD", b"h0FFshort")]),
        (b"#PRDhXYZbad#FB ", [("PRD", b"hXYZbad"), ("FB ", b"")]),
        (b"#GMTMONOh003#\0##CMXUM08h001##---", [("GMT", b"MONOh003#\0#"), ("CMX", b"UM08h001#")]),
        (b"#errADF PE  \0\0\0", [("err", b"ADF PE  ")]),
        (b"#parOK  \0#FB ", [("par", b"OK  ")]),
        (b"#pa", []),
    ],
)
def test_tokens(block: bytes, tokens: list[tuple[str, bytes]]) -> None:
    assert parse(block) == tokens


def test_what_is_no_token() -> None:
    with pytest.raises(errors.DeviceIOError, match="no token begins at 0 of b'PRD"):
        parse(b"PRDh006DS-530")


def test_garbage_ends_in_tokens_or_an_io_error() -> None:
    rng = random.Random(4)
    for _ in range(3000):
        block = bytes(rng.choice(b"#-h0123FdixABC \0") for _ in range(rng.randrange(60)))
        try:
            for _code, value in parse(block):
                numbers(value)
        except errors.DeviceIOError:
            continue


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"", []),
        (b"d850i0001170", [850, 1170]),
        (b"i-000012x000001F", [-12, 31]),
        (b"d000d999", [0, 999]),
    ],
)
def test_numbers(value: bytes, found: list[int]) -> None:
    assert numbers(value) == found


@pytest.mark.parametrize("value", [b"7", b"d12", b"i000000", b"dabc", b"d850 ", b"h003"])
def test_what_is_no_number(value: bytes) -> None:
    with pytest.raises(errors.DeviceIOError, match="no number at"):
        numbers(value)


def test_numbers_are_written_in_the_shorter_form() -> None:
    assert [number(value) for value in (0, 75, 999, 1000)] == ["d000", "d075", "d999", "i0001000"]


def test_text_has_no_blanks_at_its_end() -> None:
    assert text(b"h008DS-530  ") == "DS-530"


@pytest.mark.parametrize(
    ("reply", "size"),
    [
        (b"INFOx0000000", 0),
        (b"INFOx00000FF", 255),
        (b"INFOx0000100", None),
        (b"CAPAx0000000", None),
        (b"UNKNx0000000", None),
        (b"INFOy0000000", None),
        (b"INFOx000000G", None),
        (b"INFOx-000001", None),
        (b"INFOx0_00001", None),
    ],
)
def test_replies(reply: bytes, size: int | None) -> None:
    assert reply_size(reply.ljust(64, b"\0"), b"INFO", 255) == size


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"ADF PE  ", errors.NoDocs),
        (b"ADF PJ  ", errors.Jammed),
        (b"FB  OPN ", errors.CoverOpen),
        (b"ADF DFED", errors.DeviceIOError),
        (b"FB ERR ", errors.DeviceIOError),
        (b"", errors.DeviceIOError),
        (b"ADF PE", errors.NoDocs),
    ],
)
def test_causes(value: bytes, kind: type[errors.SaneError]) -> None:
    assert type(error(value)) is kind


# Capabilities


def test_capabilities() -> None:
    found = capabilities()
    assert (found.model, found.gamma, found.version) == ("DS-530", 2, "1.00")
    assert found.sources == ("Flatbed", "ADF Front", "ADF Duplex")
    assert found.bed("Flatbed").width == pytest.approx(215.9)
    assert found.bed("ADF Duplex").is_centred
    assert (found.has_raw, found.has_bits, found.can) == (True, True, {"DPLX", "CRP"})
    assert isinstance(found.resolutions, Range)


@pytest.mark.parametrize(
    ("name", "model", "gamma"),
    [
        (b"h008PID 1143", "L3150 Series", 7),
        (b"h003X 1", "X 1", 0),
        (b"h002\xff\x07", "ESC/I-2 scanner", 0),
        (b"h000", "ESC/I-2 scanner", 0),
    ],
)
def test_names(name: bytes, model: str, gamma: int) -> None:
    found = capabilities(b"#PRD" + name + b"#FB AREAi0000850i0001170")
    assert (found.model, found.gamma) == (model, gamma)


@pytest.mark.parametrize(
    ("info", "capa", "kind"),
    [
        (b"#PRDh001a", CAPA, errors.Invalid),
        (b"#FB ALGNLEFT", CAPA, errors.Invalid),
        (INFO, b"#FMTLISTRAW ", errors.Invalid),
        (b"#FB AREAi0000000i0001170", CAPA, errors.DeviceIOError),
        (b"#FB AREAi9999999i0001170", CAPA, errors.DeviceIOError),
        (b"#FB AREAi0000850", CAPA, errors.DeviceIOError),
        (INFO, b"#RSMRANGi0001200i0000050", errors.DeviceIOError),
        (INFO, b"#RSMRANGi0000050", errors.DeviceIOError),
        (INFO, b"#RSMRANGi0000000i9999999", errors.DeviceIOError),
        (INFO, b"#RSMLIST", errors.DeviceIOError),
        (INFO, b"#RSMLIST" + b"d075" * 9999, errors.DeviceIOError),
        (INFO, b"#RSMLISTd000i9999999", errors.DeviceIOError),
        (INFO, b"#RSMLISTd07", errors.DeviceIOError),
    ],
)
def test_absurd_capabilities(info: bytes, capa: bytes, kind: type[errors.SaneError]) -> None:
    with pytest.raises(kind):
        capabilities(info, capa)


# Parameters


def bed(width: float = 215.9, height: float = 297.18, *, centred: bool = False) -> Bed:
    found = Bed()
    found.width, found.height, found.is_centred = width, height, centred
    return found


@pytest.mark.parametrize(
    ("area", "dpi", "centred", "expected"),
    [
        ((0, 0, 215.9, 297.1799), 100, False, (0, 0, 848, 1169)),
        ((10, 20, 41.5, 40), 100, False, (39, 79, 120, 78)),
        ((0, 0, 50, 109.4), 100, False, (0, 0, 192, 429)),
        ((0, 0, 50, 30), 100, True, (326, 0, 192, 118)),
        ((0, 0, 1, 0), 100, False, (0, 0, 0, 0)),
        ((9, 9, 1, 1), 100, False, (35, 35, -32, -30)),
    ],
)
def test_geometry(
    area: tuple[float, float, float, float],
    dpi: int,
    centred: bool,
    expected: tuple[int, int, int, int],
) -> None:
    found = Geometry(area, dpi, bed(centred=centred))
    assert (found.left, found.top, found.width_px, found.lines) == expected


def block(mode: str, capa: bytes = CAPA, **words: object) -> bytes:
    found = capabilities(INFO, capa)
    geometry = Geometry((0, 0, 50, 30), 100, bed())
    words = {"source": "Flatbed", "dpi": 100, **words}
    return ScanParameters(geometry, mode=mode, capabilities=found, **words).block()  # type: ignore[arg-type]


def test_the_block_of_gray() -> None:
    head = b"#FB #COLM008#FMTRAW #GMMUG18#RSMd100#RSSd100#BSZi1048576"
    place = b"#ACQi0000000i0000000i0000192i0000118"
    assert block("Gray") == head + place + b"#GMTMONOh100" + gamma_tables(2)["MONO"]


def test_the_block_of_colours() -> None:
    found = block("Color", source="ADF Duplex", skew=True, crop=True, dpi=1200)
    assert found.startswith(b"#ADFDPLXSKEWCRP #COLC024#FMTRAW #GMMUG18#RSMi0001200#RSSi0001200")
    assert found.endswith(b"#CMXUM08h009" + bytes.fromhex("200184001F00000024000000"))
    assert len(found) == 920 + len("DPLXSKEWCRP ") + 2 * len("0001")


@pytest.mark.parametrize(
    ("capa", "expected"),
    [
        (CAPA, b"#COLM001#FMTRAW #GMMUG10"),
        (CAPA.replace(b"M001", b"M008"), b"#COLM008#FMTJPG #JPGd090#GMMUG10"),
        (CAPA.replace(b"RAW ", b"JPG "), b"#COLM001#GMMUG10"),
    ],
)
def test_the_block_of_line_art(capa: bytes, expected: bytes) -> None:
    found = block("Lineart", capa)
    assert found.startswith(b"#FB " + expected)
    assert found.endswith(b"#GMTMONOh100" + bytes(range(256)))


@pytest.mark.parametrize("table", [0, 2, 4, 5, 6, 7, 99])
def test_gamma_tables_are_whole(table: int) -> None:
    found = gamma_tables(table)
    assert {len(values) for values in found.values()} == {256}
    assert all(list(values) == sorted(values) for values in found.values())


# Configuration


def test_a_profile() -> None:
    from sane.backends.epsonds import profile

    line = Line("epsonds.conf", 3, "profile:0x0199,PID 0199, ES-999W,2")
    assert profile(line) == (0x0199, "ES-999W", "PID 0199", 2)


@pytest.mark.parametrize(
    "words", ["", "0x1", "0x1,a,b", "0x1,,b,2", "x,a,b,2", "0x10000,a,b,2", "0x1,a,b,3"]
)
def test_what_is_no_profile(words: str) -> None:
    from sane.backends.epsonds import profile

    with pytest.raises(errors.Invalid):
        profile(Line("epsonds.conf", 3, f"profile:{words}"))


def test_the_ids_of_the_table() -> None:
    assert (0x04B8, 0x015C, "Epson", "DS-1630") in Backend.usb_ids
    assert len(Backend.usb_ids) == len(models.MODELS) == 73
