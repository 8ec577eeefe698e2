"""scanimage of ours, without a device: words, values, names of files, pages, files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from sane.cli.scanimage.arguments import Settings, atoi
from sane.cli.scanimage.getopt import NONE, NUMBER, OPTIONAL, REQUIRED, Long, Words
from sane.cli.scanimage.listing import names
from sane.cli.scanimage.messages import Messages
from sane.cli.scanimage.names import BadPattern, Pattern
from sane.cli.scanimage.page import BadPage, Page
from sane.cli.scanimage.pdf import Pdf
from sane.cli.scanimage.reading import Levels, Scanner
from sane.cli.scanimage.syntax import BadValue, parse
from sane.cli.scanimage.table import wrapped
from sane.cli.scanimage.targets import File
from sane.cli.scanimage.tiff import TiffEncoder
from sane.const import (
    FRAME_BLUE,
    FRAME_GRAY,
    FRAME_GREEN,
    FRAME_RED,
    STATUS_IO_ERROR,
    TYPE_FIXED,
    TYPE_INT,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MM,
    UNIT_NONE,
)
from sane.handle import Handle
from sane.image.encoder import Encoder
from sane.image.pnm import PnmEncoder
from sane.listed import DeviceInfo
from sane.param import Parameters
from tests.fakes.device import Fake

LETTERS = {"a": NONE, "b": REQUIRED, "c": OPTIONAL, "n": NUMBER}
LONGS = (
    *(Long("alpha", NONE, "a"), Long("beta", REQUIRED, "b"), Long("better", NONE, "x")),
    *(Long("mode", REQUIRED, 1), Long("model", REQUIRED, 2), Long("motor", OPTIONAL, 3)),
)
COMMANDS: tuple[tuple[str, list[tuple[object, str | None]], list[str], list[str]], ...] = (
    ("-a x -b y", [("a", None), ("b", "y")], ["x"], []),
    ("-abz", [("a", None), ("b", "z")], [], []),
    ("-b", [], [], ["option requires an argument -- 'b'"]),
    ("-c 1 -c2", [("c", None), ("c", "2")], ["1"], []),
    ("-n 1 -n x -n5 -n", [("n", "1"), ("n", None), ("n", "5"), ("n", None)], ["x"], []),
    ("-aqa", [("a", None), ("a", None)], [], ["invalid option -- 'q'"]),
    ("--al --beta=1 --bet", [("a", None), ("b", "1")], [], ["ambiguous"]),
    ("--mode 1 --mod=2 --mot", [(1, "1"), (1, "2"), (3, None)], [], []),
    ("--mo=1", [], [], ["'--mo=1' is ambiguous; possibilities: '--mode' '--motor'"]),
    ("--alpha=1 --q=2", [], [], ["'--alpha' doesn't allow", "unrecognized option '--q=2'"]),
    ("- -a -- -a --b", [("a", None)], ["-", "-a", "--b"], []),
)


@pytest.mark.parametrize(("line", "found", "operands", "complaints"), COMMANDS)
def test_words_are_options_and_operands(
    line: str,
    found: list[tuple[object, str | None]],
    operands: list[str],
    complaints: list[str],
) -> None:
    said: list[str] = []
    words = Words(line.split(), LETTERS, LONGS, said.append)
    assert list(words.options()) == found
    assert words.operands == operands
    assert len(said) == len(complaints)
    assert all(part in text for part, text in zip(complaints, said, strict=True))


VALUES = (
    ("100", TYPE_INT, UNIT_NONE, 1, [100]),
    (" -08", TYPE_INT, UNIT_NONE, 1, [-8]),
    ("2in", TYPE_INT, UNIT_MM, 1, [51]),
    ("8bit", TYPE_INT, UNIT_BIT, 1, [8]),
    ("8b", TYPE_INT, UNIT_BIT, 1, [8]),
    ("1e2dpi", TYPE_FIXED, UNIT_DPI, 1, [100 << 16]),
    ("0x10", TYPE_FIXED, UNIT_NONE, 1, [16 << 16]),
    ("0.399999", TYPE_FIXED, UNIT_NONE, 1, [26214]),
    ("1cm,2-[4]5mm", TYPE_FIXED, UNIT_MM, 6, [10 << 16, 2 << 16, 3 << 16, 4 << 16, 5 << 16, 0]),
    ("[0]4-[5]104", TYPE_INT, UNIT_NONE, 6, [4, 24, 44, 64, 84, 104]),
    ("0-[5]7", TYPE_INT, UNIT_NONE, 6, [0, 1, 2, 4, 5, 7]),
    ("[5]1-[0]6", TYPE_INT, UNIT_NONE, 6, [6, 0, 0, 0, 0, 1]),
    ("1--5", TYPE_INT, UNIT_NONE, 2, [1, -5]),
    ("40000", TYPE_FIXED, UNIT_NONE, 1, [2**31 - 1]),
    ("-inf", TYPE_FIXED, UNIT_NONE, 1, [-(2**31)]),
    ("9" * 5000, TYPE_INT, UNIT_NONE, 1, [2**31 - 1]),
)


@pytest.mark.parametrize(("text", "type_", "unit", "length", "words"), VALUES)
def test_a_value_becomes_words(
    text: str, type_: int, unit: int, length: int, words: list[int]
) -> None:
    assert parse(text, type_, unit, length).words == words


WRONG = (
    ("", TYPE_INT, UNIT_NONE, 1, "bad option value (rest of option: )"),
    ("nan", TYPE_FIXED, UNIT_NONE, 1, "bad option value (rest of option: nan)"),
    ("5x", TYPE_INT, UNIT_NONE, 1, "illegal separator (rest of option: x)"),
    ("5mmm", TYPE_FIXED, UNIT_MM, 1, "illegal unit (rest of option: mmm)"),
    ("5,6", TYPE_FIXED, UNIT_MM, 1, "illegal unit (rest of option: ,6)"),
    ("5,6", TYPE_INT, UNIT_NONE, 1, "index 1 out of range [0..0]"),
    ("[9]1", TYPE_INT, UNIT_NONE, 4, "index 9 out of range [0..3]"),
    ("[1x]2", TYPE_INT, UNIT_NONE, 4, "closing bracket missing (rest of option: 1x]2)"),
    (f"[{'9' * 400}]1", TYPE_INT, UNIT_NONE, 4, "out of range [0..3]"),
)


@pytest.mark.parametrize(("text", "type_", "unit", "length", "said"), WRONG)
def test_what_is_no_value_is_told(text: str, type_: int, unit: int, length: int, said: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse(text, type_, unit, length)
    assert said in str(caught.value)


NUMBERS = (
    *(("12x", 12), (" -7", -7), ("+3", 3), ("x", 0), ("", 0), ("-", 0), ("08", 8)),
    *((str(2**31), -(2**31)), ("9" * 5000, -1), (f"-{'9' * 5000}", 0)),
)


@pytest.mark.parametrize(("text", "number"), NUMBERS, ids=lambda value: str(value)[:20])
def test_numbers_are_those_of_atoi(text: str, number: int) -> None:
    assert atoi(text) == number


PATTERNS = (
    ("out%d.pnm", 3, "out3.pnm"),
    ("%05d%%", -3, "-0003%"),
    ("%+i", 3, "+3"),
    ("%x", -1, "ffffffff"),
    ("%#o", 9, "011"),
    ("%5.3d", 1, "  001"),
    ("page", 7, "page"),
)


@pytest.mark.parametrize(("text", "number", "name"), PATTERNS)
def test_a_pattern_names_files_as_printf_does(text: str, number: int, name: str) -> None:
    pattern = Pattern(text)
    assert pattern.name(number) == name
    assert pattern.has_number == ("%" in text)


@pytest.mark.parametrize("text", ["%s", "%d%d", "%", "a%", "%5", "%ld", "%*d", "%.d.%c"])
def test_a_pattern_that_names_no_files_is_refused(text: str) -> None:
    with pytest.raises(BadPattern, match="--batch="):
        Pattern(text)


def test_levels_are_those_that_the_original_counts() -> None:
    """A byte that is as bright as any before is never the darkest."""
    for data, low, high in (
        (b"\0" * 9, 255, 0),
        (b"\x05\x07\x03\xff\x01\x09", 1, 255),
        (b"\xff\xff\x80", 128, 255),
        (b"\x01\x02\x03", 255, 3),
        (bytes(range(255, -1, -1)), 0, 255),
    ):
        for size in (1, 2, len(data)):
            levels = Levels()
            for at in range(0, len(data), size):
                levels.note(memoryview(data[at : at + size]))
            assert (levels.low, levels.high) == (low, high)


def made(frames: list[tuple[Parameters, bytes]], pieces: int) -> tuple[bytes, Page]:
    """Return the PNM file of *frames*, fed in *pieces*, and the page."""
    out = bytearray()

    def make(size: tuple[int, int], form: tuple[int, int]) -> Encoder:
        return PnmEncoder(*size, *form)

    page = Page(make, out.extend)
    for params, data in frames:
        page.begin(params)
        for at in range(0, len(data), pieces):
            page.feed(memoryview(data[at : at + pieces]))
    page.end()
    return bytes(out), page


@pytest.mark.parametrize("pieces", [1, 2, 3, 100])
def test_a_page_is_what_its_frames_are(pieces: int) -> None:
    padded = Parameters(FRAME_GRAY, 2, 2, bytes_per_line=3)
    assert made([(padded, b"ab?cd?")], pieces)[0] == b"P5\n2 2\n255\nabcd"
    endless = Parameters(FRAME_GRAY, 2, -1, bytes_per_line=3)
    assert made([(endless, b"ab?cd?e")], pieces)[0] == b"P5\n2 2\n255\nabcd"
    short = Parameters(FRAME_GRAY, 2, 3)
    file, page = made([(short, b"abc")], pieces)
    assert file == b"P5\n2 3\n255\nabc\xff\xff\xff"
    assert page.missing_lines == 2
    assert made([(Parameters(FRAME_GRAY, 2, 1), b"abcd")], pieces)[0] == b"P5\n2 1\n255\nab"
    passes = [
        (Parameters(kind, 2, 1, last_frame=kind == FRAME_RED), data)
        for kind, data in ((FRAME_BLUE, b"BB"), (FRAME_GREEN, b"GG"), (FRAME_RED, b"RR"))
    ]
    assert made(passes, pieces)[0] == b"P6\n2 1\n255\nRGBRGB"


def test_frames_that_are_no_page_are_refused() -> None:
    gray, red = Parameters(FRAME_GRAY, 2, 1), Parameters(FRAME_RED, 2, 1, last_frame=False)
    for frames in (
        [(gray, b"")],
        [(Parameters(FRAME_GRAY, 2, -1), b"a")],
        [(red, b"aa")],
        [(red, b"aa"), (gray, b"aa")],
        [(red, b"aa"), (Parameters(FRAME_GREEN, 3, 1), b"aaa")],
        [(Parameters(9, 2, 1), b"aa")],
        [(Parameters(FRAME_GRAY, 2, 1, depth=12), b"aaaa")],
        [(Parameters(FRAME_GRAY, 2, 1, bytes_per_line=1), b"a")],
    ):
        with pytest.raises(BadPage):
            made(frames, 10)


def test_a_tiff_file_has_its_tags_and_its_strip() -> None:
    maker = TiffEncoder(3, 2, 3, 8, dpi=30.5, icc=b"profile")
    data = maker.feed(b"012345678901234567") + maker.end()
    assert data[:8] == b"MM\0*\0\0\0\x08"
    (count,) = struct.unpack_from(">H", data, 8)
    tags = {}
    for at in range(10, 10 + 12 * count, 12):
        number, kind, length, value = struct.unpack_from(">HHII", data, at)
        tags[number] = (kind, length, value)
    assert list(tags) == sorted(tags)
    assert data[tags[273][2] :] == b"012345678901234567"
    assert tags[279] == (4, 1, 18)
    assert struct.unpack_from(">II", data, tags[282][2]) == (305000, 10000)
    assert data[tags[34675][2] :][:7] == b"profile"


def test_a_pdf_page_that_failed_is_taken_back() -> None:
    pdf = Pdf()
    begin = pdf.begin()
    state = pdf.state()
    pdf.new_page()
    pdf.object(4, "lost")
    assert pdf.restore(state) == len(begin)
    assert pdf.pages == 0
    pdf.new_page()
    again = pdf.object(4, "kept")
    assert b"/Kids [ 4 0 R ]" in pdf.end()
    assert again == b"4 0 obj\nkept\nendobj\n"


def test_a_file_that_is_not_finished_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"earlier")
    link = tmp_path / "link"
    link.symlink_to("page")
    file = File(str(link))
    file.write(b"new")
    assert path.read_bytes() == b"earlier"
    file.discard()
    file.discard()
    assert path.read_bytes() == b"earlier"
    file = File(str(link))
    file.write(b"newer")
    file.cut(3)
    file.finish()
    assert (path.read_bytes(), link.is_symlink()) == (b"new", True)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_description_keeps_its_form() -> None:
    text = f"{'x' * 69} a\n\n  indented {'y' * 80} end"
    assert list(wrapped(text)) == [
        " " * 8 + "x" * 69,
        " " * 8 + "a",
        " " * 8,
        " " * 8 + "  indented",
        " " * 8 + "y" * 80,
        " " * 8 + "end",
    ]


def test_the_names_of_devices_fit_a_terminal() -> None:
    devices = [DeviceInfo(f"test:{number}", "a", "b", "c") for number in range(30)]
    lines = names(devices).splitlines()[2:]
    assert all(len(line) < 80 for line in lines)
    assert " ".join(lines).split() == [device.name for device in devices]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("call", ["start", "read_into"])
def test_a_driver_that_raises_what_ends_programs_is_told(
    kind: type[BaseException], call: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """SystemExit in a driver ended pysane-scanimage with the driver's status, without a word."""
    device = Fake()
    device.fails[call] = kind(0)
    handle = Handle(device)
    scanner = Scanner(handle, Settings(), Messages("scanimage"))
    status = scanner.start()
    if call == "read_into":
        assert not status
        status = scanner.read(Page(lambda size, form: PnmEncoder(*size, *form), lambda data: None))
    assert status == STATUS_IO_ERROR
    said = capfd.readouterr().err
    assert "Error during device I/O" in said
    assert f"{call}: {kind.__name__}" in said
    handle.close()
