"""Documents of devices (sane.image.Document, Fitted) beside Pillow, which reads them whole.

Run on its own, with the name of a document and a number of rounds, it prints the figures.
"""

from __future__ import annotations

import io
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from .measure import ABSENT
from .report import Section
from .setting import STAGE

if TYPE_CHECKING:
    from .setting import Bench

WIDTH, LINES = 2480, 3508  # A4 at 300 dpi
PIECE_BYTES = ROOM_BYTES = 1 << 16
LARGER = WIDTH * 4 // 3, LINES * 4 // 3  # sent by a device that scans at 400 dpi

# What the device sends -> format, and width and lines.
SENT: dict[str, tuple[str, tuple[int, int]]] = {
    "JPEG": ("jpeg", (WIDTH, LINES)),
    "JPEG of 400 dpi": ("jpeg", LARGER),
    "PNG": ("png", (WIDTH, LINES)),
}


def document_of(format: str, size: tuple[int, int]) -> bytes:
    """Return a page in colour, soft as a photograph."""
    from sane.image.formats import encoder

    width, lines = size
    maker = encoder(format)(width, lines, 3)
    row = bytes(value for x in range(width) for value in (x & 255, x >> 4 & 255, 255 - x // 32))
    return b"".join(maker.feed(row[3 * (y % 64) :] + row[: 3 * (y % 64)]) for y in range(lines)) + (
        maker.end()
    )


def frame_seconds(data: bytes, frame: memoryview) -> float:
    """Return the CPU seconds of the promised frame, fed in pieces and read as it is finished."""
    from sane.image import Document, Fitted

    begin = time.thread_time()
    document = Document(WIDTH, LINES, channels=3)
    fitted = Fitted(document, WIDTH, LINES, 3, 8, sent=(WIDTH, LINES))
    done = 0
    for at in range(0, len(data), PIECE_BYTES):
        fitted.feed(data[at : at + PIECE_BYTES])
        while n := fitted.read_into(frame[done : done + ROOM_BYTES]):
            done += n
    fitted.end()
    while n := fitted.read_into(frame[done : done + ROOM_BYTES]):
        done += n
    seconds = time.thread_time() - begin
    assert done == len(frame), f"{len(frame) - done} bytes are missing"
    return seconds


def pillow_seconds(data: bytes) -> float | None:
    """Return the CPU seconds of Pillow for the promised frame; None without it."""
    try:
        from PIL import Image
    except ImportError:
        return None
    begin = time.thread_time()
    image: Any = Image.open(io.BytesIO(data))
    if image.size != (WIDTH, LINES):
        image = image.resize((WIDTH, LINES), Image.Resampling.BOX)
    image.tobytes()
    return time.thread_time() - begin


def measure_documents(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure each document in a Python of its own, on the compiled package."""
    section = Section(
        "Documents of devices",
        "sane.image.Document and Fitted: an A4 page at 300 dpi in colour, fed and read in pieces "
        f"of {PIECE_BYTES >> 10} KiB. MB of the frame per CPU second; Pillow has the whole "
        f"document and makes the whole picture. {rounds} rounds.",
        ("device sends", "MB/s", "Pillow", "ours / Pillow"),
    )
    for name in SENT:
        sample = bench.program(sys.executable, "-m", "bench.documents", name, str(rounds))
        ours, pillow = sample["ours"], sample["pillow"]
        known = (f"{pillow / 1e6:.0f}", f"{ours / pillow:.2f}") if pillow else (ABSENT, "")
        section.add(name, f"{ours / 1e6:.0f}", *known)
    return section


def main(name: str, rounds: int) -> None:
    """Print bytes of the frame per CPU second, ours and Pillow's (0 without it)."""
    format, size = SENT[name]
    data, frame = document_of(format, size), memoryview(bytearray(3 * WIDTH * LINES))
    ours, pillow = [], []
    for _ in range(rounds):
        ours.append(frame_seconds(data, frame))
        pillow.append(pillow_seconds(data))
    print(f"ours {len(frame) / median(ours)}")
    theirs = [seconds for seconds in pillow if seconds]
    print(f"pillow {len(frame) / median(theirs) if theirs else 0.0}")


if __name__ == "__main__":
    sys.path.insert(0, str(STAGE / "lib" / "pysane"))
    main(sys.argv[1], int(sys.argv[2]))
