"""Rows out of a device's stream (sane.image.Lines) beside a plain copy of the same bytes.

Run on its own, with a habit and a number of rounds, it prints both figures.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from .measure import MISSED
from .report import Section
from .setting import STAGE

if TYPE_CHECKING:
    from .setting import Bench

WIDTH, LINES = 2544, 3508  # A4 at 300 dpi
PIECE_BYTES = 1 << 16
ROOM_BYTES = 1 << 16
GOAL = 0.15
STAGGER = (16, 8, 0)

# What the device does -> the arguments of its layout, and whether there is a goal.
HABITS: dict[str, tuple[dict[str, Any], bool]] = {
    "colour, lines of one colour, 16 lines apart": ({"plane_lines": 1, "stagger": STAGGER}, True),
    "colour, blue first, 16 lines apart": ({"colors": "BGR", "stagger": STAGGER}, False),
    "colour, two bytes behind each line": ({"padding": 2}, False),
    "colour, as it is": ({}, False),
    "colour of 16 bits, high byte first": ({"depth": 16, "byteorder": "big"}, False),
    "line art, 1 is white, from the third bit on": (
        {"channels": 1, "depth": 1, "left": 3, "invert": True},
        False,
    ),
}


def frame_seconds(stream: memoryview, frame: memoryview, layout: dict[str, Any]) -> float:
    """Return the CPU seconds of a frame that is fed in pieces and read as it is finished."""
    from sane.image import Layout, Lines

    lines = Lines(Layout(WIDTH, **{"channels": 3, **layout}), LINES)
    done = 0
    begin = time.thread_time()
    for at in range(0, len(stream), PIECE_BYTES):
        lines.feed(stream[at : at + PIECE_BYTES])
        while n := lines.read_into(frame[done : done + ROOM_BYTES]):
            done += n
    seconds = time.thread_time() - begin
    assert lines.is_done, f"{lines.left_bytes} bytes are missing"
    return seconds


def copy_seconds(stream: memoryview, frame: memoryview) -> float:
    """Return the CPU seconds of the frame's bytes copied in the same pieces."""
    begin = time.thread_time()
    for at in range(0, len(frame), PIECE_BYTES):
        piece = stream[at : min(at + PIECE_BYTES, len(frame))]
        frame[at : at + len(piece)] = piece
    return time.thread_time() - begin


def samples(layout: dict[str, Any], rounds: int) -> tuple[float, float]:
    """Return bytes per CPU second of the frame and of the copy, in turn, medians."""
    from sane.image import Layout

    form = Layout(WIDTH, **{"channels": 3, **layout})
    size = form.place(LINES - 1)[1]
    stream, frame = memoryview(bytearray(size)), memoryview(bytearray(form.row_bytes * LINES))
    frame_seconds(stream, frame, layout)
    found = [
        (frame_seconds(stream, frame, layout), copy_seconds(stream, frame)) for _ in range(rounds)
    ]
    ours, copies = zip(*found, strict=True)
    return len(frame) / median(ours), len(frame) / median(copies)


def measure_lines(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure each habit in a Python of its own, on the compiled package."""
    section = Section(
        "Image assembly",
        f"sane.image.Lines: an A4 page at 300 dpi, fed in pieces of {PIECE_BYTES >> 10} KiB, which "
        f"do not end on lines, read {ROOM_BYTES >> 10} KiB at a time into the page. GB of the page "
        f"per CPU second, one core; memcpy copies the page in the same pieces. {rounds} rounds.",
        ("device sends", "Lines", "memcpy", "Lines / memcpy", "goal", "verdict"),
    )
    for name, (_, has_goal) in HABITS.items():
        sample = bench.program(sys.executable, "-m", "bench.lines", name, str(rounds))
        ours, copies = sample["lines"], sample["memcpy"]
        section.add(
            name,
            f"{ours / 1e9:.2f}",
            f"{copies / 1e9:.2f}",
            f"{ours / copies:.2f}",
            f">= {GOAL}" if has_goal else "",
            ("met" if ours / copies >= GOAL else MISSED) if has_goal else "",
        )
    return section


if __name__ == "__main__":
    sys.path.insert(0, str(STAGE / "lib" / "pysane"))
    ours, copies = samples(HABITS[sys.argv[1]][0], int(sys.argv[2]))
    print(f"lines {ours}\nmemcpy {copies}")
