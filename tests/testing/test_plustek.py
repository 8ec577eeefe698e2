"""The emulated register scanner: transfers, moves, light, shading, buffer, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from sane.testing.esci.page import Picture
from sane.testing.plustek import MODELS, NEW, USED, Scanner, Wear
from sane.testing.plustek.glass import Glass, averaged, graded
from sane.testing.plustek.models import model_named
from tests import ROOT

LINE, LINE_BYTES = 40, 46
WHITE_STRIP = 0.2  # inches from the home sensor
# Source: specification plustek 9.1 (5), a line of the lamp search, here of 40 pixels.
BLOCK = (
    "0a 20 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 00 00 01 00 00 00 00 17 ba 00 4a 00 72 15"
    " 00 00 02 00 00 00 17 0e d8 00 17 0c e4 00 17 0a 8c 00 00 00 0a 0a 0a 00 00 40 00 20 00 00 03"
    " 08 ef 01 2d 00 00 00 00 0d 01 00 fc 42 00 00 0f 08 1f 04 66 16 91 01 00 00"
)


def write(scanner: Scanner, register: int, *data: int) -> None:
    """Write registers from one on, in pieces of 60 bytes."""
    for start in range(0, len(data), 60):
        piece = bytes(data[start : start + 60])
        head = bytes((2, register + start)) + len(piece).to_bytes(2, "big")
        scanner.take(head + piece)


def load(scanner: Scanner, select: int, data: bytes) -> None:
    """Write a table of the memory."""
    write(scanner, 0x03, select, 0, 0)
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        scanner.take(b"\x00\x06" + len(piece).to_bytes(2, "big") + piece)


def read(scanner: Scanner, register: int, size: int = 1, counts: int = 0) -> bytes:
    """Read a register so many times, or those from it on."""
    scanner.take(bytes((1 | 2 * counts, register)) + size.to_bytes(2, "big"))
    answer = b"".join(scanner.replies)
    scanner.replies.clear()
    return answer


def prepared(scanner: Scanner, *changes: tuple[int, int]) -> Scanner:
    """Write the block, in which *changes* are made."""
    block = bytearray.fromhex(BLOCK.replace(" ", ""))
    for register, value in changes:
        block[register - 8] = value
    write(scanner, 0x08, *block)
    return scanner


def scan(scanner: Scanner, lines: int = 1, size: int = 0) -> bytes:
    """Scan so many lines where the carriage is."""
    write(scanner, 7, 3)
    return read(scanner, 0, size or lines * 3 * (2 * LINE + 2))


def red(data: bytes) -> list[int]:
    """Return the red samples of one line of 16 bits."""
    return [high << 8 | low for high, low in zip(data[0:80:2], data[1:80:2], strict=True)]


def on_white(wear: Wear = NEW, unit: str = "LiDE 20") -> Scanner:
    """Return a scanner whose carriage is under the white strip."""
    scanner = Scanner(unit, wear)
    scanner.put(WHITE_STRIP * scanner.model.steps)
    return scanner


def move(scanner: Scanner, command: int, steps: int = 0, feed: int = 0x1C4) -> list[int]:
    """Begin a move as the original does; return what 07 says until it ends."""
    write(scanner, 0x07, 0)
    write(scanner, 0x08, 0x16, 0x1F)
    write(scanner, 0x26, 0x0C)
    write(scanner, 0x45, 0x13)
    write(scanner, 0x48, feed >> 8, feed & 255, steps >> 8, steps & 255)
    write(scanner, 0x56, 8, 0x1F)
    write(scanner, 7, command)
    told = [read(scanner, 7)[0]]
    while told[-1] and len(told) < 10:
        told.append(read(scanner, 7)[0])
    return told


# Transfers


def test_registers_are_written_and_read_back() -> None:
    scanner = Scanner()
    write(scanner, 0x59, 0x66, 0x16, 0x91)
    assert read(scanner, 0x59, 3, counts=1) == b"\x66\x16\x91"
    assert read(scanner, 0x59, 3) == b"\x66\x66\x66"
    assert scanner.writes == [(0x59, b"\x66\x16\x91")]
    assert read(scanner, 0x69) == b"\x04"


def test_a_command_reads_back_at_once_and_reset_stays() -> None:
    scanner = Scanner()
    write(scanner, 7, 0x20)
    assert read(scanner, 7, 2) == b"\x20\x20"


def test_an_answer_comes_in_pieces() -> None:
    scanner = Scanner()
    scanner.piece = 2
    scanner.take(b"\x03\x59\x00\x05")
    assert [len(reply) for reply in scanner.replies] == [2, 2, 1]


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x08\x00\x02\x01", b"\x02\x08\x00\x00"])
def test_a_broken_command_is_refused(data: bytes) -> None:
    scanner = Scanner()
    scanner.take(data)
    assert len(scanner.problems) == 1


def test_buttons_are_levels_of_pins() -> None:
    scanner = Scanner()
    write(scanner, 0x59, 0x66, 0x16, 0x91)
    assert read(scanner, 2) == b"\x81"  # at home; pin 6 is an output, high
    scanner.press(2)
    assert read(scanner, 2) == b"\x89"
    scanner.release()
    assert read(scanner, 2) == b"\x81"


# The carriage


def test_the_carriage_goes_forward_and_home() -> None:
    scanner = Scanner()
    assert move(scanner, 5, 180) == [5, 5, 5, 0]
    assert (scanner.position, scanner.is_home) == (180, False)
    assert not read(scanner, 2)[0] & 1
    assert move(scanner, 2) == [2, 2, 2, 0]
    assert (scanner.position, scanner.is_home) == (0, True)
    assert read(scanner, 2)[0] & 1
    assert not scanner.problems


def test_a_move_that_is_broken_off_ends_midway() -> None:
    scanner = Scanner()
    scanner.put(900)
    write(scanner, 0x08, 0x16)
    write(scanner, 0x45, 0x13)
    write(scanner, 0x48, 1, 0xC4)
    write(scanner, 7, 2)
    read(scanner, 7)
    write(scanner, 7, 0)
    assert scanner.position == 600


def test_nothing_moves_while_the_motor_is_off() -> None:
    scanner = Scanner()
    write(scanner, 0x48, 1, 0xC4, 0, 100)
    write(scanner, 7, 5)
    assert (scanner.position, scanner.problems) == (0, [])


def test_the_carriage_can_be_stuck() -> None:
    scanner = Scanner()
    scanner.stuck_at = 0
    assert move(scanner, 5, 180)[-1] == 0
    assert scanner.is_home  # it has not gone
    scanner.put(500)
    scanner.stuck_at = 300
    assert move(scanner, 2)[-1] == 2  # the home sensor never trips
    assert (scanner.position, scanner.motor.pushes > 0) == (300, True)


@pytest.mark.parametrize(
    ("command", "place", "steps", "told"),
    [
        (5, 15000, 5000, "hits a stop"),
        (6, 100, 200, "hits a stop"),
        (1, 0, 0, "runs the carriage of a flatbed"),
        (9, 0, 0, "no command"),
    ],
)
def test_a_collision_is_refused(command: int, place: int, steps: int, told: str) -> None:
    scanner = Scanner()
    scanner.put(place)
    move(scanner, command, steps)
    assert told in scanner.problems[0]
    assert read(scanner, 7) == b"\x00"


def test_a_motor_that_is_driven_too_fast_is_refused() -> None:
    scanner = Scanner()
    move(scanner, 5, 180, feed=0x20)
    assert "inches a second" in scanner.problems[0]
    assert scanner.position == 0


# Scans


def test_light_falls_with_the_time_of_the_lamp() -> None:
    known = []
    for off in (1700, 850, 425):
        scanner = prepared(on_white(), (0x2E, off >> 8), (0x2F, off & 255))
        known.append(red(scan(scanner))[5])
    assert known[0] > 1.9 * known[1] > 3.6 * known[2]
    assert not scanner.problems


@pytest.mark.parametrize("dark", [((0x29, 0),), ((0x2C, 0x3F), (0x2D, 0xFF), (0x2E, 0), (0x2F, 0))])
def test_both_ways_to_switch_the_lamps_off_are_dark(dark: tuple[tuple[int, int], ...]) -> None:
    assert red(scan(prepared(on_white(), *dark)))[5] == 160  # gain 1.6


def test_dead_and_weak_lamps() -> None:
    scanner = on_white()
    full = red(scan(prepared(scanner)))[5]
    scanner.lamp_light = 0.05
    weak = red(scan(prepared(scanner)))[5]
    scanner.lamp_light = 0.0
    assert 160 == red(scan(prepared(scanner)))[5] < weak < full / 9


def test_shading_makes_an_uneven_sensor_even() -> None:
    scanner = prepared(on_white(USED._replace(noise=0)), (0x2E, 6), (0x2F, 0x8B))
    white = red(scan(scanner))
    assert max(white) - min(white) > 500
    load(scanner, 0x01, b"".join((60000 * 16384 // v).to_bytes(2, "big") for v in white))
    prepared(scanner, (0x2E, 6), (0x2F, 0x8B), (0x42, 0x22))
    assert all(abs(value - 60000) < 20 for value in red(scan(scanner)))


def test_a_pixel_without_words_of_its_own_is_black() -> None:
    scanner = prepared(on_white(), (0x42, 0x22))
    load(scanner, 0x01, b"\x40\x00" * (LINE - 1))
    assert red(scan(scanner))[-2:][1] == 0


def test_noise_is_the_same_for_the_same_line_and_not_for_others() -> None:
    lines = [scan(prepared(on_white(USED), (0x2E, 6)), 2) for _ in range(2)]
    assert lines[0] == lines[1]
    assert lines[0][: len(lines[0]) // 2] != lines[0][len(lines[0]) // 2 :]


def test_dust_lies_on_the_strip_only() -> None:
    glass = Glass(model_named("220d"), graded)
    glass.lay_dust(200, 1)
    specks = glass.dust
    glass.lay_dust(200, 1)
    assert specks == glass.dust
    row = glass.look(specks[0].top, 0, 5200)[0]
    assert row[specks[0].left] < 255 == max(row)
    assert min(glass.look(0.1 * 1200, 0, 5200)[0]) > 240


def test_a_dead_pixel_sees_nothing() -> None:
    scanner = prepared(on_white(Wear(dead=(0x4A + 3,))))
    samples = red(scan(scanner))
    assert samples[3] == 160 < min(samples[:3] + samples[4:])


def test_lines_of_every_depth() -> None:
    scanner = on_white()
    load(scanner, 0x02, bytes(j >> 4 for j in range(4096)))
    sizes = {0x20: 2 * LINE, 0x18: LINE, 0x00: LINE // 8}
    for mode, size in sizes.items():
        prepared(scanner, (0x09, mode))
        data = scan(scanner, size=size)
        assert len(set(data[:size])) <= 2, mode  # the strip is even
        assert data[0] > 200, mode


def test_the_carriage_goes_on_from_line_to_line() -> None:
    scanner = prepared(on_white(), (0x45, 0x13), (0x46, 8), (0x47, 0xEF), (0x09, 0x22))
    before = scanner.motor.place
    write(scanner, 7, 3)
    read(scanner, 0, 10 * 3 * (2 * LINE // 2 + 2))
    assert scanner.motor.place - before == pytest.approx(10 * 18240 / (4 * 0x8EF))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (((0x24, 0x20),), "exposure beyond the line"),
        (((0x25, 0),), "no pixels"),
        (((0x2B, 1),), "lamp current 1"),
        (((0x2C, 0x18), (0x2E, 0x3F)), "exposure from"),
        (((0x29, 3), (0x2E, 0x3F), (0x32, 0x3F), (0x36, 0x3F)), "at once"),
        (((0x59, 0x67),), "a button shorts"),
        (((0x45, 0x13), (0x57, 0x30)), "overheats"),
        (((0x45, 0x13), (0x46, 0), (0x47, 5)), "scan at"),
        (((0x45, 0x13), (0x48, 0), (0x49, 9)), "fast feed"),
        (((0x45, 0x13), (0x4C, 0x60)), "hits the far stop"),
        (((0x45, 0x13), (0x4E, 0xFF)), "overruns"),
    ],
)
def test_what_harms_a_unit_is_refused(changes: tuple[tuple[int, int], ...], told: str) -> None:
    scanner = prepared(on_white(), *changes)
    write(scanner, 7, 3)
    assert told in scanner.problems[0]
    assert read(scanner, 7) == b"\x00"


def test_lines_beyond_the_limit_are_no_lines() -> None:
    scanner = prepared(on_white(), (0x45, 0x13), (0x4C, 0), (0x4D, 16))
    write(scanner, 7, 3)
    size = 3 * (2 * LINE + 2)
    assert len(read(scanner, 0, 60 * size)) < 20 * size
    assert "4c/4d end the scan after 16 steps" in scanner.problems[0]


def test_image_data_without_a_scan_are_refused() -> None:
    scanner = Scanner()
    assert read(scanner, 0, 100) == b""
    assert "no scan goes on" in scanner.problems[0]


# The buffer


def paced(*changes: tuple[int, int]) -> tuple[Scanner, Callable[[float], None]]:
    """Return a scanner that makes lines while its clock goes, in wide lines; and the clock."""
    now = [0.0]
    scanner = on_white()
    scanner.pace, scanner.clock = 1.0, lambda: now[0]
    wide = ((0x24, 0x14), (0x25, 0x36), (0x45, 0x13), (0x4F, 1), (0x50, 0x3F))
    prepared(scanner, *wide, *changes)
    write(scanner, 7, 3)

    def wait(seconds: float) -> None:
        now[0] += seconds
        read(scanner, 1)

    return scanner, wait


def test_the_motor_goes_back_when_the_host_is_slow_and_no_line_is_lost() -> None:
    scanner, wait = paced((0x4E, 0x20))
    quick, _ = paced((0x4E, 0x20))
    size = 3 * (2 * 0x13EC // 2)
    slow = b""
    for _ in range(3):
        wait(5)
        slow += read(scanner, 0, size)
    assert scanner.pauses >= 1
    assert not scanner.problems
    assert slow == read(quick, 0, 3 * size)


def test_the_level_rises_to_the_pause_limit() -> None:
    scanner, wait = paced((0x4E, 0x20))
    levels = []
    for _ in range(6):
        wait(0.1)
        levels.append(read(scanner, 1)[0])
    wait(5)
    assert levels == sorted(levels)
    assert 0x20 <= read(scanner, 1)[0] < 0x40


def test_without_a_limit_the_buffer_overruns() -> None:
    scanner, wait = paced((0x4E, 0))
    wait(30)
    assert "overruns" in scanner.problems[0]


# Pages, units, the program


def test_pixels_are_averaged() -> None:
    assert list(averaged([1, 3, 5, 7, 9, 11], 2, 3)) == [2, 6, 10]
    assert averaged([3, 6, 9], 1.5, 2) == pytest.approx([4, 8])
    assert averaged((5.0,) * 6, 3, 2) == (5.0, 5.0)


def test_a_picture_lies_at_the_origin_of_the_bed() -> None:
    model = MODELS["LiDE 20"]
    glass = Glass(model, Picture(2, 2, bytes(range(1, 13))))
    place = (model.origin / 300 + 0.021) * model.steps
    planes = glass.look(place, model.first - 1, model.first + 6)
    assert [list(plane[1:5]) for plane in planes] == [[1, 1, 4, 4], [2, 2, 5, 5], [3, 3, 6, 6]]
    assert planes[0][0] == pytest.approx(0.95 * 255)
    assert planes[0][6] == 255


def test_units_by_name_and_id() -> None:
    assert model_named("LiDE 30") is model_named("220e")
    with pytest.raises(ValueError, match="LiDE 99"):
        Scanner("LiDE 99")


def test_the_program_says_how_to_attach_it_and_what_is_wrong() -> None:
    command = [sys.executable, "-m", "sane.testing.plustek", "--model", "LiDE 20"]
    bad = subprocess.run(
        [*command, "--position", "-1"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (bad.returncode, "cannot be at" in bad.stderr) == (2, True)
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert "LiDE 20 (04a9:220d)" in process.stdout.readline()
        process.terminate()
