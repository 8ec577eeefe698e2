"""Ours and the original fujitsu: the same calls give the same pixels, statuses and commands.

The scanner is emulated (sane.testing.fujitsu) on a bus of umockdev, under the real libusb.
"""

from __future__ import annotations

import pytest

from sane.testing.fujitsu import MODELS, Answer, Sheet, alike
from tests.peers.fujitsu import set_word
from tests.peers.fujitsu_pairs import BACK, DUPLEX, FRONT, SCAN, Pair, page, pair, walker
from tests.peers.walk_fujitsu import COUNT

__all__ = ["pair", "walker"]  # fixtures

ALD = 38
# What a feed may end in: codes of the sense data that mean an error.
FEED_CODES = (
    *((3, 0x80, n) for n in (1, 2, 3, 4, 7, 8, 9, 0x0C, 0x20, 0x22, 0x30, 0x10, 0x14, 0x31, 0x33)),
    *((3, 0x80, 0x55), (3, 0x11, 0), (2, 1, 0), (4, 0x44, 0), (4, 0x80, 1), (4, 0x80, 0x82)),
    *((5, 0, 0), (5, 0x1A, 0), (5, 0x20, 0), (5, 0x24, 0), (5, 0x25, 0), (5, 0x26, 0)),
    *((5, 0x2C, 0), (5, 0x2C, 2), (5, 0x99, 0), (6, 0x29, 0), (0xB, 0x43, 0), (0xB, 0x4E, 0)),
    *((0xB, 0x80, 1), (0xB, 0x80, 3), (1, 0, 0), (7, 0, 0), (0xD, 1, 2)),
)
READ_CODES = ((3, 0x80, 1), (3, 0x80, 2), (3, 0x80, 3), (3, 0x80, 7), (5, 0x24, 0), (0xB, 0x80, 3))


@pytest.mark.parametrize("model", MODELS)
def test_options_and_modes(pair: Pair, model: str) -> None:
    """Every mode of every model, from all that it can be fed with."""
    fields = MODELS[model].fields
    sources = ["Flatbed"] if fields[0x20] & 0x40 else []
    sources += [FRONT]
    if fields[0x20] & 0x10:
        sources += [DUPLEX] if MODELS[model].is_old else [BACK, DUPLEX]
    modes = ["Color", "Gray"] + ["Lineart"] * bool(fields[0x1C] & 2 or model == "iX500")
    modes += ["Halftone"] * bool(fields[0x1C] & 4)
    commands = [f"descs 0 {COUNT}"]
    for source in sources:
        for mode in modes:
            commands += page(source, mode, 150, 1600, 1000, at=100)
            commands += [*SCAN * (2 if source == DUPLEX else 1), "cancel 0"]
    # Of an M3091's colours the original asks for as many lines as the image has, ours for more.
    pair.check(commands, model, *[Sheet(alike, alike)] * 60, has_wire=model != "M3091")


@pytest.mark.parametrize("source", [FRONT, BACK, DUPLEX])
def test_the_hopper_until_it_is_empty(pair: Pair, source: str) -> None:
    scans = [*SCAN] * (6 if source == DUPLEX else 3)
    commands = [*page(source, "Gray", 100), *scans, "start 0", "read 0 100", "start 0", "cancel 0"]
    pair.check(commands, sheets=3)


@pytest.mark.parametrize("length", [900, 1499, 1500])
def test_automatic_length(pair: Pair, length: int) -> None:
    commands = [*page(DUPLEX, "Gray", 100), *set_word(ALD, 1), *SCAN, *SCAN, "cancel 0"]
    pair.check(commands, "fi-7260", *[Sheet(size=(2000, length))] * 2)


@pytest.mark.parametrize("source", [FRONT, DUPLEX])
def test_fewer_lines_than_told(pair: Pair, source: str) -> None:
    commands = [*page(source, "Gray", 100), *SCAN, *SCAN, "cancel 0"]
    pair.check(commands, "fi-7260", *[Sheet(more_lines=-10)] * 2)


def test_short_reads_may_be_padded(pair: Pair) -> None:
    commands = [*page(DUPLEX, "Color", 150), *SCAN * 4, "start 0"]
    pair.check(commands, sheets=2, attributes={"pads": True})


def test_sensors_are_asked_for_when_they_are_stale(pair: Pair) -> None:
    gets = [text for i in range(79, 99) for text in (f"desc 0 {i}", f"get 0 {i} 4 w")]
    sensors = {
        "top-edge": 1,
        "scan": 1,
        "email": 1,
        "function": 5,
        "skew-angle": 7,
        "cover-open": 1,
    }
    pair.check([*gets, *gets[:10], "get 0 91 4 w"], attributes={"sensors": sensors})


def test_what_a_feed_may_end_in(pair: Pair) -> None:
    answers = {"feed": tuple(Answer(code) for code in FEED_CODES)}
    commands = [*page(FRONT, "Gray", 100), *["start 0"] * len(FEED_CODES), *SCAN, "cancel 0"]
    pair.check(commands, sheets=1, answers=answers, has_wire=False)


@pytest.mark.parametrize("code", READ_CODES)
def test_what_a_read_may_end_in(pair: Pair, code: tuple[int, int, int]) -> None:
    answers = {"read": (Answer(code),)}
    commands = [*page(FRONT, "Gray", 100), "start 0", "params 0", "readall 0 32768 99999999"]
    pair.check(commands, sheets=1, answers=answers, has_wire=False)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("mode select", Answer((5, 0x26, 0))),
        ("feeder", Answer((5, 0x24, 0))),
        ("ready for read", Answer((5, 0x24, 0))),
        ("lamp", Answer((5, 0x24, 0))),
        ("lut", Answer((5, 0x26, 0))),
        ("pixel size", Answer((5, 0x24, 0))),
        ("pixel size", Answer(size=16)),
        ("pixel size", Answer(status=0x08)),
        ("ready for read", Answer(status=0x08)),
        ("cancel", Answer((5, 0x24, 0))),
        ("set window", Answer((5, 0x26, 0))),
        ("scan", Answer((5, 0, 0))),
    ],
)
def test_refusals_that_end_a_scan_or_do_not(pair: Pair, name: str, answer: Answer) -> None:
    """At the first time of asking after the scanner was found; a failed SCAN is cancelled here."""
    found = (None,) if name == "set window" else ()
    commands = [*page(FRONT, "Gray", 100), *SCAN, "cancel 0", *SCAN, "cancel 0"]
    sheets = [Sheet(alike, alike)] * 3
    pair.check(
        commands, "fi-6240", *sheets, answers={name: (*found, answer)}, has_wire=name != "scan"
    )
